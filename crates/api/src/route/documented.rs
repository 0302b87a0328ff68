//! Handlers that are documented by their types.

use super::{describe::Describe, operation_doc::OperationDoc};

/// A handler whose arguments and reply all describe themselves.
pub trait Documented<Args> {
    /// Adds the documentation of the handler's types to the operation's.
    fn document(doc: &mut OperationDoc);
}

macro_rules! documented {
    ($($argument:ident),*) => {
        impl<F, Answering, Reply, $($argument),*> Documented<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Answering,
            Answering: Future<Output = Reply>,
            Reply: Describe,
            $($argument: Describe,)*
        {
            fn document(doc: &mut OperationDoc) {
                $($argument::describe(doc);)*
                Reply::describe(doc);
            }
        }
    };
}

documented!();
documented!(A);
documented!(A, B);
documented!(A, B, C);
documented!(A, B, C, D);
documented!(A, B, C, D, E);
documented!(A, B, C, D, E, G);
