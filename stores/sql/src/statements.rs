//! The statements, each of which does a whole operation of a store.
//!
//! Two conditions come back in all of them. A session is *alive* if its deadline lies ahead and no
//! epoch has moved past it; it *admits* a key if the key's proof is the present or the pending one
//! of the row, or absent in both.

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::table::Table;

/// The user under which the epoch of everybody is filed: no user has an empty id.
pub(crate) const EVERYBODY: &str = "";

/// What is read of a row, in the order of [`Row`](crate::row::Row).
const READ: &str = "id, revision, proof, pending, pending_since, former, former_until, last_seen, \
                    idle_deadline, absolute_deadline, user_id, epoch, user_epoch, record";

/// What a commit writes, in the order in which [`Written`](crate::row::Written) binds it.
const WRITTEN: [&str; 10] = [
    "proof",
    "pending",
    "pending_since",
    "former",
    "former_until",
    "last_seen",
    "idle_timeout",
    "idle_deadline",
    "absolute_deadline",
    "record",
];

/// The column of [`Dialect::bound`].
pub(crate) const BOUND: &str = "sweep_at";

/// The statements over one set of tables. The comment of each lists its parameters in order.
#[derive(Debug)]
pub(crate) struct Statements {
    /// namespace, id, now
    pub(crate) find: Arc<str>,
    /// namespace, id, revision, user; written; deadline if `bound`; namespace, EVERYBODY, namespace,
    /// user; now if it replaces what has ended
    pub(crate) create: Arc<str>,
    /// Where `create` replaces nothing, what deletes a row that has ended: namespace, id, now
    pub(crate) make_room: Option<Arc<str>>,
    /// written; deadline if `bound`; user, namespace, user, user; namespace, id, now, proof, proof,
    /// revision
    pub(crate) swap: Arc<str>,
    /// until, now, now; namespace, id, now, proof, proof
    pub(crate) touch: Arc<str>,
    /// namespace, id, now, proof, proof, proof, now
    pub(crate) delete: Arc<str>,
    /// namespace, id, now
    pub(crate) delete_unproven: Arc<str>,
    /// namespace, user, now
    pub(crate) list: Arc<str>,
    /// namespace, user, now, id to keep
    pub(crate) revoke: Arc<str>,
    /// namespace, user
    pub(crate) move_epoch: Arc<str>,
    /// Whether a row has a bound of its deadline, which `create` and `swap` write.
    pub(crate) bound: bool,
}

impl Statements {
    pub(crate) fn new(table: &Table, dialect: &Dialect) -> Self {
        let (sessions, epochs) = (table.sessions(dialect), table.epochs(dialect));
        let Dialect { least, greatest, same, replaces, bound, .. } = *dialect;
        let epoch_of = |namespace: &str, user: &str| {
            format!(
                "coalesce((SELECT e.epoch FROM {epochs} AS e \
                 WHERE e.namespace = {namespace} AND e.user_id = {user}), 0)"
            )
        };
        let seen = |user: &str| epoch_of(&format!("{sessions}.namespace"), user);
        let (everybodys, theirs) = (seen("''"), seen(&format!("{sessions}.user_id")));
        let deadline = format!("{least}({sessions}.idle_deadline, {sessions}.absolute_deadline)");
        let alive = format!(
            "{deadline} > ? AND {sessions}.epoch >= {everybodys} \
             AND ({sessions}.user_id IS NULL OR {sessions}.user_epoch >= {theirs})"
        );
        let here = format!("WHERE namespace = ? AND id = ? AND {alive}");
        let admits = format!("(proof {same} ? OR pending = ?)");
        let stamp = epoch_of("?", "?");
        let columns: Vec<_> = WRITTEN.into_iter().chain(bound.then_some(BOUND)).collect();
        let written = columns.join(", ");
        let values = vec!["?"; columns.len()].join(", ");
        let set = WRITTEN.map(|column| format!("{column} = ?")).join(", ");
        let lower = if bound { format!(", {BOUND} = {least}({BOUND}, ?)") } else { String::new() };
        let insert = format!(
            "INSERT INTO {sessions} \
             (namespace, id, revision, user_id, {written}, epoch, user_epoch) \
             VALUES (?, ?, ?, ?, {values}, {stamp}, {stamp})"
        );
        let replaced = ["revision", "user_id"]
            .into_iter()
            .chain(columns)
            .chain(["epoch", "user_epoch"])
            .map(|column| format!("{column} = excluded.{column}"))
            .collect::<Vec<_>>()
            .join(", ");
        let (mut replace, mut make_room) = (String::new(), None);
        let count = if replaces {
            replace = format!(
                " ON CONFLICT (namespace, id) DO UPDATE SET {replaced} WHERE NOT ({alive})"
            );
            format!("ON CONFLICT (namespace, user_id) DO UPDATE SET epoch = {epochs}.epoch + 1")
        } else {
            make_room = Some(format!(
                "DELETE FROM {sessions} WHERE namespace = ? AND id = ? AND NOT ({alive})"
            ));
            "ON DUPLICATE KEY UPDATE epoch = epoch + 1".to_owned()
        };
        let new = |sql: String| Arc::from(dialect.parameters(&sql));
        Self {
            find: new(format!("SELECT {READ} FROM {sessions} {here}")),
            create: new(format!("{insert}{replace}")),
            make_room: make_room.map(new),
            // The stamp stands before the user: MySQL assigns from left to right.
            swap: new(format!(
                "UPDATE {sessions} SET revision = revision + 1, {set}{lower}, \
                 user_epoch = CASE WHEN user_id {same} ? THEN user_epoch ELSE {stamp} END, \
                 user_id = ? {here} AND {admits} AND revision = ?"
            )),
            touch: new(format!(
                "UPDATE {sessions} SET revision = revision + 1, idle_deadline = \
                 {least}(absolute_deadline, {greatest}(idle_deadline, {least}(?, ? + idle_timeout))), \
                 last_seen = {greatest}(last_seen, ?) {here} AND {admits}"
            )),
            delete: new(format!(
                "DELETE FROM {sessions} {here} \
                 AND (proof = ? OR pending = ? OR (former = ? AND former_until > ?))"
            )),
            delete_unproven: new(format!("DELETE FROM {sessions} {here}")),
            list: new(format!(
                "SELECT {READ} FROM {sessions} WHERE namespace = ? AND user_id = ? AND {alive}"
            )),
            revoke: new(format!(
                "DELETE FROM {sessions} WHERE namespace = ? AND user_id = ? AND {alive} AND id <> ?"
            )),
            move_epoch: new(format!(
                "INSERT INTO {epochs} (namespace, user_id, epoch) VALUES (?, ?, 1) {count}"
            )),
            bound,
        }
    }
    /// All of them: a table of another shape refuses one at least.
    #[cfg(feature = "sqlite")]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        let Self { find, create, make_room, swap, touch, delete, delete_unproven, .. } = self;
        let Self { list, revoke, move_epoch, .. } = self;
        [find, create, swap, touch, delete, delete_unproven, list, revoke, move_epoch]
            .into_iter()
            .chain(make_room)
    }
}
