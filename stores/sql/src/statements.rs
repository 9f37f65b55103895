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

/// The statements over one set of tables. The comment of each lists its parameters in order.
#[derive(Debug)]
pub(crate) struct Statements {
    /// namespace, id, now
    pub(crate) find: Arc<str>,
    /// namespace, id, revision, user; written; namespace, EVERYBODY, namespace, user; now
    pub(crate) create: Arc<str>,
    /// written; user, namespace, user, user; namespace, id, now, proof, proof, revision
    pub(crate) swap: Arc<str>,
    /// until, now, now; namespace, id, now, proof, proof
    pub(crate) touch: Arc<str>,
    /// namespace, id, now, proof, proof, proof, now
    pub(crate) delete: Arc<str>,
    /// namespace, id, now
    pub(crate) delete_unproven: Arc<str>,
    /// now, limit
    pub(crate) sweep: Arc<str>,
    /// namespace, user, now
    pub(crate) list: Arc<str>,
    /// namespace, user, now, id to keep
    pub(crate) revoke: Arc<str>,
    /// namespace, user
    pub(crate) move_epoch: Arc<str>,
}

impl Statements {
    pub(crate) fn new(table: &Table, dialect: &Dialect) -> Self {
        let (sessions, epochs) = (table.sessions(dialect), table.epochs(dialect));
        let Dialect { least, greatest, same, .. } = dialect;
        let epoch_of = |namespace: &str, user: &str| {
            format!(
                "coalesce((SELECT e.epoch FROM {epochs} AS e \
                 WHERE e.namespace = {namespace} AND e.user_id = {user}), 0)"
            )
        };
        let seen = |user: &str| epoch_of(&format!("{sessions}.namespace"), user);
        let (everybodys, theirs) = (seen("''"), seen(&format!("{sessions}.user_id")));
        let alive = format!(
            "{sessions}.deadline > ? AND {sessions}.epoch >= {everybodys} \
             AND ({sessions}.user_id IS NULL OR {sessions}.user_epoch >= {theirs})"
        );
        let here = format!("WHERE namespace = ? AND id = ? AND {alive}");
        let admits = format!("(proof {same} ? OR pending = ?)");
        let stamp = epoch_of("?", "?");
        let written = WRITTEN.join(", ");
        let values = ["?"; WRITTEN.len()].join(", ");
        let set = WRITTEN.map(|column| format!("{column} = ?")).join(", ");
        let replaced = ["revision", "user_id"]
            .into_iter()
            .chain(WRITTEN)
            .chain(["epoch", "user_epoch"])
            .map(|column| format!("{column} = excluded.{column}"))
            .collect::<Vec<_>>()
            .join(", ");
        let new = |sql: String| Arc::from(dialect.parameters(&sql));
        Self {
            find: new(format!("SELECT {READ} FROM {sessions} {here}")),
            create: new(format!(
                "INSERT INTO {sessions} \
                 (namespace, id, revision, user_id, {written}, epoch, user_epoch) \
                 VALUES (?, ?, ?, ?, {values}, {stamp}, {stamp}) \
                 ON CONFLICT (namespace, id) DO UPDATE SET {replaced} WHERE NOT ({alive})"
            )),
            // The stamp stands before the user: MySQL assigns from left to right.
            swap: new(format!(
                "UPDATE {sessions} SET revision = revision + 1, {set}, \
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
            sweep: new(format!(
                "DELETE FROM {sessions} WHERE (namespace, id) IN (SELECT namespace, id \
                 FROM {sessions} WHERE deadline <= ? ORDER BY deadline LIMIT ?)"
            )),
            list: new(format!(
                "SELECT {READ} FROM {sessions} WHERE namespace = ? AND user_id = ? AND {alive}"
            )),
            revoke: new(format!(
                "DELETE FROM {sessions} WHERE namespace = ? AND user_id = ? AND {alive} AND id <> ?"
            )),
            move_epoch: new(format!(
                "INSERT INTO {epochs} (namespace, user_id, epoch) VALUES (?, ?, 1) \
                 ON CONFLICT (namespace, user_id) DO UPDATE SET epoch = {epochs}.epoch + 1"
            )),
        }
    }

    /// All of them: a table of another shape refuses one at least.
    pub(crate) fn all(&self) -> [&Arc<str>; 10] {
        let Self {
            find,
            create,
            swap,
            touch,
            delete,
            delete_unproven,
            sweep,
            list,
            revoke,
            move_epoch,
        } = self;
        [find, create, swap, touch, delete, delete_unproven, sweep, list, revoke, move_epoch]
    }
}
