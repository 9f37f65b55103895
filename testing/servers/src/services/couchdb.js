// Loaded before PouchDB Server, which answers a write of what a deleted document once was by ending.
// CouchDB calls it a conflict.

"use strict";

const { createRequire } = require("node:module");

const server = createRequire(process.argv[1]);
const utils = server("pouchdb-adapter-utils");
const { createError, REV_CONFLICT } = server("pouchdb-errors");

const { processDocs } = utils;

utils.processDocs = (revLimit, docs, api, fetched, txn, results, write, options, done) => {
  const answered = (...outcome) => {
    docs.forEach((_, index) => {
      results[index] ??= createError(REV_CONFLICT);
    });
    done(...outcome);
  };
  processDocs(revLimit, docs, api, fetched, txn, results, write, options, answered);
};
