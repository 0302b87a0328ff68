//! The documentation of one operation, as its parts add to it.

use std::collections::BTreeSet;

use kernel::{Code, error::Codes};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Content, ContentBuilder, Header, HeaderBuilder, HttpMethod, ObjectBuilder, Ref, RefOr, Required,
        ResponseBuilder, Schema, SecurityRequirement,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::Type,
    },
};

/// The documentation of one operation.
pub struct OperationDoc {
    /// The path's template, without the version prefix.
    path: String,
    is_get: bool,
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
    /// Codes of extractors, replies and the edge.
    inherited: BTreeSet<Code>,
    /// Codes of the use case.
    own: BTreeSet<Code>,
}

impl OperationDoc {
    pub(super) fn new(
        path: &str,
        method: &HttpMethod,
        operation: Operation,
        schemas: Vec<(String, RefOr<Schema>)>,
    ) -> Self {
        let (inherited, own) = (BTreeSet::new(), BTreeSet::new());
        let is_get = *method == HttpMethod::Get;
        Self { path: path.to_owned(), is_get, operation, schemas, inherited, own }
    }

    /// Returns whether the operation only reads, by its method.
    pub fn is_get(&self) -> bool {
        self.is_get
    }

    /// Returns whether the path has a placeholder of that name.
    pub fn has_placeholder(&self, name: &str) -> bool {
        self.path
            .split('/')
            .any(|segment| segment.strip_prefix('{').is_some_and(|rest| rest.strip_suffix('}') == Some(name)))
    }

    /// Adds a value of the path.
    pub fn path_parameter<T: ToSchema>(&mut self, name: &str, description: &str) {
        let schema = self.inline::<T>();
        self.path_text(name, schema, description);
    }

    /// Adds a value of the path, of this schema.
    pub fn path_text(&mut self, name: &str, schema: impl Into<RefOr<Schema>>, description: &str) {
        self.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some(description))
                .schema(Some(schema))
                .build(),
        );
    }

    /// Adds the values of the query.
    pub fn query_parameters<T: IntoParams>(&mut self) {
        for parameter in T::into_params(|| Some(ParameterIn::Query)) {
            self.parameter(parameter);
        }
    }

    /// Adds a header that the client sends.
    pub fn header(
        &mut self,
        name: &str,
        required: bool,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
    ) {
        self.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(if required { Required::True } else { Required::False })
                .description(Some(description))
                .schema(Some(schema))
                .build(),
        );
    }

    fn parameter(&mut self, parameter: Parameter) {
        self.operation.parameters.get_or_insert_default().push(parameter.into());
    }

    /// Adds the JSON body that the client sends.
    pub fn body<T: ToSchema>(&mut self) {
        let content = json::<T>(self);
        let body =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        self.operation.request_body = Some(body.build().into());
    }

    /// Adds one way of proving who the caller is, by the names of security schemes with the
    /// permissions that each must hold.
    pub fn security<const N: usize>(&mut self, schemes: [(&str, &[&str]); N]) {
        let requirement =
            schemes.into_iter().fold(SecurityRequirement::default(), |requirement, (name, scopes)| {
                requirement.add(name, scopes.iter().map(ToString::to_string))
            });
        self.operation.security.get_or_insert_default().push(requirement);
    }

    /// Adds an answer whose body is the JSON of `T`.
    pub fn responds<T: ToSchema>(&mut self, status: u16, description: &str) {
        let content = json::<T>(self);
        self.response(
            status,
            ResponseBuilder::new().description(description).content("application/json", content),
        );
    }

    /// Adds an answer that is built already.
    pub fn response(&mut self, status: u16, response: ResponseBuilder) {
        self.operation.responses.responses.insert(status.to_string(), response.build().into());
    }

    /// Adds a header to every successful answer.
    pub fn answer_header(&mut self, name: &str, description: &str) {
        for (status, response) in &mut self.operation.responses.responses {
            if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
                response.headers.insert(name.to_owned(), text_header(description).into());
            }
        }
    }

    /// Returns a reference to the schema of `T`, which it adds to the document.
    pub fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.named_schema(&T::name(), T::schema())
    }

    /// Adds a schema to the document and returns a reference to it.
    pub fn named_schema(&mut self, name: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
        self.schemas.push((name.to_owned(), schema));
        Ref::from_schema_name(name).into()
    }

    /// Returns the schema of `T` itself, since parameters are read where they stand.
    fn inline<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        T::schema()
    }

    /// Adds codes of an extractor, of a reply or of the edge.
    pub fn codes(&mut self, codes: &[Code]) {
        self.inherited.extend(codes);
    }

    /// Adds codes of the use case.
    pub(super) fn own_codes(&mut self, groups: &[Codes]) {
        self.own.extend(groups.iter().flat_map(|groups| groups.iter()).flat_map(|codes| codes.iter()));
    }

    /// Returns whether callers prove nothing, and need to prove nothing.
    pub(super) fn is_anonymous(&self) -> bool {
        self.operation.security.as_ref().is_none_or(Vec::is_empty)
    }

    pub(super) fn into_parts(self) -> Parts {
        let Self { operation, schemas, inherited, own, .. } = self;
        Parts { operation, schemas, inherited, own }
    }
}

/// The finished parts of an [`OperationDoc`].
pub(super) struct Parts {
    pub(super) operation: Operation,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) inherited: BTreeSet<Code>,
    pub(super) own: BTreeSet<Code>,
}

fn json<T: ToSchema>(doc: &mut OperationDoc) -> Content {
    ContentBuilder::new().schema(Some(doc.schema::<T>())).build()
}

/// Returns the documentation of a header that holds text.
pub fn text_header(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(512));
    HeaderBuilder::new().schema(Some(schema.build())).description(Some(description)).build()
}
