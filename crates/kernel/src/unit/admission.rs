//! Admission of a request, which is done once, however often it comes.

use super::work::Unit;
use crate::{
    caller::Caller,
    error::{Code, Result},
    idempotency::{self, KeyedRequest},
    ids::ProjectId,
    signature::{self, Proof},
};

/// The admission of a request that a transaction does together with others: `None` when it is to be
/// done, or the bytes of the first response.
pub type Admitted = Result<Option<Vec<u8>>>;

impl Unit<'_> {
    /// Looks the request's `Idempotency-Key` up and consumes its nonce. Returns the first response
    /// if there was one; the nonce was consumed with that one. [`Unit::run_once`] calls it; a
    /// caller that runs a unit by hand calls it first.
    ///
    /// # Errors
    /// [`Code::IdempotencyInFlight`], [`Code::IdempotencyKeyReused`], [`Code::NonceReplayed`].
    pub async fn admit(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(keyed) = KeyedRequest::of(self.caller()) else {
            self.consume_nonce().await?;
            return Ok(None);
        };
        let core = self.core();
        if let Some(first) = idempotency::lookup(self, core, &keyed).await? {
            return Ok(Some(first));
        }
        match self.consume_nonce().await {
            // The first may have been committed after the look-up, and before this waited for its
            // nonce.
            Err(error) if error.code() == Code::NonceReplayed => {
                idempotency::lookup(self, core, &keyed).await?.map(Some).ok_or(error)
            }
            consumed => consumed.map(|()| None),
        }
    }

    /// Stores the response under the request's `Idempotency-Key`, if it has one.
    ///
    /// # Errors
    /// [`Code::IdempotencyInFlight`] when another request with the key was faster.
    pub async fn store_response(&mut self, response: &[u8]) -> Result<()> {
        let Some(keyed) = KeyedRequest::of(self.caller()) else { return Ok(()) };
        let core = self.core();
        idempotency::store_response(self, core, &keyed, response).await
    }

    /// Admits the requests from `first` on, which this transaction does together; those before are
    /// its own already. Each look-up is one round trip for all of them, and none when no request
    /// has a key or a signature.
    ///
    /// # Errors
    /// Each request has its own: [`Code::IdempotencyInFlight`] for a key that comes twice,
    /// [`Code::IdempotencyKeyReused`], [`Code::NonceReplayed`].
    pub async fn admit_all(&mut self, requests: &[Caller<'_>], first: usize) -> Result<Vec<Admitted>> {
        let (_, new) = requests.split_at(first);
        if new.iter().all(|caller| caller.proof().is_none() && caller.request.idempotency_key.is_none()) {
            return Ok(new.iter().map(|_| Ok(None)).collect());
        }
        let keyed: Vec<Option<KeyedRequest<'_>>> = requests.iter().map(KeyedRequest::of).collect();
        let core = self.core();
        let mut admitted: Vec<Admitted> = idempotency::lookup_all(self, core, &keyed).await?.split_off(first);
        consume_nonces(self, new, &mut admitted).await?;
        // The first may have been committed after the look-up, and before this waited for its
        // nonce.
        let replayed =
            |admitted: &Admitted| admitted.as_ref().is_err_and(|error| error.code() == Code::NonceReplayed);
        self.recheck(new, &mut admitted, replayed).await?;
        Ok(admitted)
    }

    /// Looks for first responses that were committed since the first look, for those requests that
    /// are `worth` it.
    ///
    /// # Errors
    /// [`Code::Unavailable`].
    pub async fn recheck(
        &mut self,
        requests: &[Caller<'_>],
        admitted: &mut [Admitted],
        worth: impl Fn(&Admitted) -> bool,
    ) -> Result<()> {
        let core = self.core();
        let asked = requests.iter().zip(admitted.iter());
        let keyed: Vec<Option<KeyedRequest<'_>>> =
            asked.map(|(caller, stands)| KeyedRequest::of(caller).filter(|_| worth(stands))).collect();
        for (found, stands) in idempotency::lookup_all(self, core, &keyed).await?.into_iter().zip(admitted) {
            if let Some(found) = found.transpose() {
                *stands = found.map(Some);
            }
        }
        Ok(())
    }

    /// Stores the responses to requests that this transaction did together, in one round trip.
    ///
    /// # Errors
    /// [`Code::IdempotencyInFlight`] when one of them was answered elsewhere meanwhile: then none
    /// may be committed.
    pub async fn store_responses(&mut self, responses: &[(Caller<'_>, Vec<u8>)]) -> Result<()> {
        let core = self.core();
        let keyed = responses
            .iter()
            .filter_map(|(caller, response)| Some((KeyedRequest::of(caller)?, response.clone())));
        idempotency::store_responses(self, core, &keyed.collect::<Vec<_>>()).await
    }
}

/// Consumes the nonces of the requests that are yet to be done; refuses a replayed one.
async fn consume_nonces(
    unit: &mut Unit<'_>,
    requests: &[Caller<'_>],
    admitted: &mut [Admitted],
) -> Result<()> {
    let signed = requests.iter().zip(admitted).filter(|(_, stands)| matches!(stands, Ok(None)));
    let (proofs, stands): (Vec<(&Proof, ProjectId)>, Vec<&mut Admitted>) =
        signed.filter_map(|(caller, stands)| Some(((caller.proof()?, caller.by.project?), stands))).unzip();
    let Some((_, project)) = proofs.first().copied() else { return Ok(()) };
    let proofs: Vec<&Proof> = proofs.into_iter().map(|(proof, _)| proof).collect();
    for (consumed, stands) in signature::consume_nonces(unit, project, &proofs).await?.into_iter().zip(stands)
    {
        if let Err(replayed) = consumed {
            *stands = Err(replayed);
        }
    }
    Ok(())
}
