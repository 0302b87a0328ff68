//! The keys of the subjects whose personal data a batch has.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use kernel::{
    Ids,
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::PgConnection;

use crate::{
    errors::key_unreadable,
    model::WrappedKey,
    personal::{KeyWrap, NewSubjectKey, Owner, SubjectKey},
    store,
};

/// The keys of subjects, as far as they were read or generated.
#[derive(Default)]
pub(super) struct SubjectKeys {
    known: BTreeMap<String, KeyState>,
    /// The keys that were generated, to be inserted.
    generated: Vec<WrappedKey>,
}

/// The state of a subject's key, as far as it is known.
enum KeyState {
    /// It can encrypt.
    Usable(SubjectKey),
    /// It exists, and does not unwrap under any key of this replica.
    Unreadable,
    /// It is generated when it is needed.
    Missing,
}

/// Keys that the push under way generated.
#[derive(Default)]
pub(super) struct NewKeys(BTreeMap<String, NewSubjectKey>);

impl SubjectKeys {
    /// Reads the keys of those of `subjects` that are not known.
    pub(super) async fn load(
        &mut self,
        tx: &mut PgConnection,
        key_wrap: &KeyWrap,
        project: ProjectId,
        subjects: BTreeSet<&str>,
    ) -> Result<()> {
        let wanted: Vec<&str> =
            subjects.into_iter().filter(|subject| !self.known.contains_key(*subject)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.known.extend(wanted.iter().map(|subject| ((*subject).to_owned(), KeyState::Missing)));
        for WrappedKey { subject, wrapped } in store::personal::keys(tx, project, &wanted).await? {
            let unwrapped = key_wrap.unwrap(Owner { project, subject: &subject }, &wrapped);
            self.known.insert(subject, unwrapped.map_or(KeyState::Unreadable, KeyState::Usable));
        }
        Ok(())
    }

    /// Returns the key of `owner`; generates it into `new` if there is none yet.
    pub(super) fn get<'k>(
        &'k self,
        new: &'k mut NewKeys,
        key_wrap: &KeyWrap,
        ids: &Ids,
        owner: Owner<'_>,
    ) -> Result<&'k SubjectKey> {
        match self.known.get(owner.subject) {
            Some(KeyState::Usable(key)) => Ok(key),
            Some(KeyState::Unreadable) => Err(key_unreadable()),
            Some(KeyState::Missing) => match new.0.entry(owner.subject.to_owned()) {
                Entry::Occupied(generated) => Ok(&generated.into_mut().key),
                Entry::Vacant(place) => Ok(&place.insert(key_wrap.generate(ids, owner)?).key),
            },
            None => Err(Error::internal("a subject's key was not read")),
        }
    }

    /// Adds keys that were generated.
    pub(super) fn add(&mut self, new: NewKeys) {
        for (subject, NewSubjectKey { key, wrapped }) in new.0 {
            self.known.insert(subject.clone(), KeyState::Usable(key));
            self.generated.push(WrappedKey { subject, wrapped });
        }
    }

    /// Returns the keys that are to be inserted.
    pub(super) fn generated(&self) -> &[WrappedKey] {
        &self.generated
    }
}
