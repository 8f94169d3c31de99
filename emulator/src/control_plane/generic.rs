//! What trust anchors, profiles and CRLs have in common: found by identifier, listed, changed,
//! deleted. An update edits the plain data and parses it anew, so that nothing gets in by a side door.

use std::sync::Arc;

use rolesanywhere_core::UnixTime;
use serde_json::{Value, json};

use crate::{
    error::{Fault, Refusal},
    identifier::random_uuid,
    store::{Account, Invalid, Kind, Resource, Resources, Table, Times},
};

use super::call::{Call, invalid, not_found};

/// A kind of resource of the control plane.
pub(super) trait Managed: Resource + Sized {
    /// The member of answers that holds one, and the member that holds many.
    const MEMBER: &'static str;
    const MEMBERS: &'static str;
    /// The parameter that identifies one, in the path.
    const IDENTIFIER: &'static str;

    fn table(resources: &Resources) -> &Table<Self>;
    fn table_mut(resources: &mut Resources) -> &mut Table<Self>;
    /// Parses plain data among the resources; `previous` is what it replaces.
    fn parse(
        resources: &Resources,
        spec: Self::Spec,
        times: Times,
        previous: Option<&Self>,
    ) -> Result<Arc<Self>, Invalid>;
    /// As the API shows it, aliases left out.
    fn shown(&self) -> Value;
    fn alias(spec: &Self::Spec) -> Option<&str>;
    fn set_alias(spec: &mut Self::Spec, alias: Option<String>);
    fn set_enabled(spec: &mut Self::Spec, enabled: bool);
    fn set_id(spec: &mut Self::Spec, id: String);
    /// Why it cannot be deleted, if it cannot.
    fn obstacle(&self, _resources: &Resources) -> Option<String> {
        None
    }
}

/// `{"MEMBER": {…}}`
pub(super) fn detail<T: Managed>(resource: &T) -> Value {
    json!({ T::MEMBER: with_alias(resource) })
}

fn with_alias<T: Managed>(resource: &T) -> Value {
    let mut shown = resource.shown();
    if let (Some(alias_arn), Some(members)) = (resource.alias_arn(), shown.as_object_mut()) {
        members.insert("aliasArn".to_owned(), json!(alias_arn));
        members.insert("aliasName".to_owned(), json!(T::alias(resource.spec())));
    }
    shown
}

pub(super) fn get<T: Managed>(call: &Call<'_>) -> Result<Value, Refusal> {
    let resources = call.service.resources();
    let found = find::<T>(&resources, call.required_text(T::IDENTIFIER))?;
    Ok(detail(found.as_ref()))
}

/// Makes a resource under an id of its own; names need not be unique.
pub(super) fn create<T: Managed>(call: &Call<'_>, mut spec: T::Spec) -> Result<Value, Refusal> {
    let id = random_uuid(call.service.random())
        .map_err(|_| Refusal::new(Fault::InternalFailure, "there is no randomness to be had"))?;
    T::set_id(&mut spec, id);
    let alias = call.text("aliasName").filter(|alias| !alias.is_empty());
    T::set_alias(&mut spec, alias.map(str::to_owned));
    let made = call.service.change(|resources| {
        let made = T::parse(resources, spec, Times::at(call.now), None)?;
        check_alias(T::table(resources), made.as_ref())?;
        let anchor = call.text("trustAnchorArn");
        call.service.check_quota(resources, T::KIND, anchor)?;
        T::table_mut(resources).put(Arc::clone(&made))?;
        Ok(made)
    })?;
    Ok(detail(made.as_ref()))
}

/// Changes the resource that the call names.
pub(super) fn change<T: Managed>(
    call: &Call<'_>,
    edit: impl FnOnce(&mut T::Spec) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let identifier = call.required_text(T::IDENTIFIER);
    let changed = call
        .service
        .change(|resources| edit_one::<T>(resources, identifier, call.now, edit))?;
    Ok(detail(changed.as_ref()))
}

/// Changes one resource among `resources`.
pub(super) fn edit_one<T: Managed>(
    resources: &mut Resources,
    identifier: &str,
    now: UnixTime,
    edit: impl FnOnce(&mut T::Spec) -> Result<(), Refusal>,
) -> Result<Arc<T>, Refusal> {
    let found = find::<T>(resources, identifier)?;
    let mut spec = found.spec().clone();
    edit(&mut spec)?;
    let times = found.times().updated(now);
    let changed = T::parse(resources, spec, times, Some(&found))?;
    check_alias(T::table(resources), &changed)?;
    T::table_mut(resources).put(Arc::clone(&changed))?;
    Ok(changed)
}

/// The change of an update operation, with its alias: set when given, removed when given empty. The
/// answer to an update that changed or removed one, and no other, tells what it was.
pub(super) fn update<T: Managed>(
    call: &Call<'_>,
    edit: impl FnOnce(&mut T::Spec) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let mut previous = None;
    let mut answer = change::<T>(call, |spec| {
        edit(spec)?;
        if let Some(alias) = call.text("aliasName") {
            let alias = Some(alias).filter(|alias| !alias.is_empty());
            if T::alias(spec) != alias {
                previous = T::alias(spec).map(str::to_owned);
            }
            T::set_alias(spec, alias.map(str::to_owned));
        }
        Ok(())
    })?;
    let members = answer.get_mut(T::MEMBER).and_then(Value::as_object_mut);
    if let (Some(previous), Some(members)) = (previous, members) {
        members.insert("previousAliasName".to_owned(), json!(previous));
    }
    Ok(answer)
}

pub(super) fn set_enabled<T: Managed>(call: &Call<'_>, enabled: bool) -> Result<Value, Refusal> {
    change::<T>(call, |spec| {
        T::set_enabled(spec, enabled);
        Ok(())
    })
}

pub(super) fn delete<T: Managed>(call: &Call<'_>) -> Result<Value, Refusal> {
    let identifier = call.required_text(T::IDENTIFIER);
    let deleted = call.service.change(|resources| {
        let found = find::<T>(resources, identifier)?;
        if let Some(obstacle) = found.obstacle(resources) {
            return Err(invalid(obstacle));
        }
        T::table_mut(resources).remove(found.arn());
        Ok(found)
    })?;
    Ok(detail(deleted.as_ref()))
}

pub(super) fn list<T: Managed>(call: &Call<'_>) -> Result<Value, Refusal> {
    let resources = call.service.resources();
    let page = Page::of(call)?;
    let after = call
        .service
        .account()
        .arn(&format!("{}/{}", T::KIND.as_str(), page.after));
    let found: Vec<&Arc<T>> = T::table(&resources)
        .after(&after)
        .take(page.size + 1)
        .collect();
    let items = found.iter().map(|one| (one.id(), with_alias(one.as_ref())));
    Ok(page.answer(T::MEMBERS, items))
}

/// The resource of an id, ARN or alias ARN.
pub(super) fn find<T: Managed>(resources: &Resources, identifier: &str) -> Result<Arc<T>, Refusal> {
    let arn = arn_of(resources.account(), T::KIND, identifier);
    T::table(resources)
        .find(&arn)
        .map(Arc::clone)
        .ok_or_else(|| not_found(what(T::KIND), identifier))
}

pub(super) fn arn_of(account: &Account, kind: Kind, identifier: &str) -> String {
    if identifier.starts_with("arn:") {
        return identifier.to_owned();
    }
    account.arn(&format!("{}/{identifier}", kind.as_str()))
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Crl => "CRL",
        Kind::Profile => "profile",
        Kind::Role => "role",
        Kind::Subject => "subject",
        Kind::TrustAnchor => "trust anchor",
    }
}

fn check_alias<T: Resource>(table: &Table<T>, resource: &T) -> Result<(), Refusal> {
    let Some(alias) = resource.alias_arn() else {
        return Ok(());
    };
    match table.find(alias) {
        Some(holder) if holder.arn() != resource.arn() => Err(invalid(format!(
            "The alias {alias} is that of {}",
            holder.arn()
        ))),
        _ => Ok(()),
    }
}

/// One page of a list: so many, after the one of an id.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) after: String,
    pub(super) size: usize,
}

/// Where the client does not say; the service's own is not known.
const DEFAULT_PAGE_SIZE: u32 = 50;

impl Page {
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        let after = match call.text("nextToken") {
            None => String::new(),
            // Opaque to clients: base64 of the last id of the page before.
            Some(token) => data_encoding::BASE64URL_NOPAD
                .decode(token.as_bytes())
                .ok()
                .and_then(|id| String::from_utf8(id).ok())
                .filter(|id| crate::store::is_uuid(id))
                .ok_or_else(|| invalid("Invalid nextToken"))?,
        };
        let size = call.integer("pageSize").unwrap_or(DEFAULT_PAGE_SIZE);
        Ok(Self {
            after,
            size: usize::try_from(size).unwrap_or(usize::MAX),
        })
    }

    /// The answer of at most one more item than the page holds, which tells whether more follow.
    pub(super) fn answer<'i>(
        &self,
        member: &str,
        items: impl Iterator<Item = (&'i str, Value)>,
    ) -> Value {
        let items: Vec<(&str, Value)> = items.collect();
        let more = items.len() > self.size;
        let last = items.get(self.size.saturating_sub(1)).map(|(id, _)| *id);
        let token = last
            .filter(|_| more)
            .map(|id| data_encoding::BASE64URL_NOPAD.encode(id.as_bytes()));
        let shown: Vec<Value> = items
            .into_iter()
            .take(self.size)
            .map(|(_, item)| item)
            .collect();
        let mut answer = json!({ member: shown });
        if let (Some(token), Some(members)) = (token, answer.as_object_mut()) {
            members.insert("nextToken".to_owned(), json!(token));
        }
        answer
    }
}
