-- What scripts share that change a session. ARGV[2] is the time. Times are whole milliseconds up to
-- 2^53: exact in Lua.
local now = tonumber(ARGV[2])

-- The server's clock may be ahead of `now` by this much before it removes what still lives.
local SLACK = 600000
local TIMES = '>BI8I8I8I8I8I8c8'
local CORRUPT, UNKNOWN_VERSION = -1, -2

local function text(number)
  return string.format('%.0f', number)
end

-- The epoch of everybody and that of this user, as a record is stamped with them.
local function stamp(everybody, user)
  local theirs = user and epoch(namespace .. '\0' .. user) or 0
  if everybody == 0 and theirs == 0 then
    return false
  end
  return struct.pack('>I8I8', everybody, theirs)
end

-- What decides whether a request may do something, and one field beside it; or nil and why not: 0 if
-- there is no session.
local function read(field)
  local t, p, n, f, u, e, k, value =
    unpack(redis.call('HMGET', session, 't', 'p', 'n', 'f', 'u', 'e', 'k', field or 't'))
  if not t then
    return nil, redis.call('EXISTS', session) == 1 and CORRUPT or 0
  end
  if t:byte() ~= 1 then
    return nil, UNKNOWN_VERSION
  end
  if #t ~= 57 or (n and #n ~= 40) or (f and #f ~= 40) or (e and #e ~= 16) or #(k or '') % 24 ~= 0 then
    return nil, CORRUPT
  end
  local _, created, last_seen, renewed, idle, idle_deadline, absolute, revision =
    struct.unpack(TIMES, t)
  return {
    proof = p, pending = n, former = f, user = u, seen = e, commits = k or '', value = value,
    created = created, last_seen = last_seen, renewed = renewed, idle = idle,
    idle_deadline = idle_deadline, absolute = absolute, revision = revision,
    alive = now < math.min(idle_deadline, absolute) and not revoked(e, u),
  }
end

local function accepts(r, proof)
  if proof == '' then
    return not r.proof
  end
  return r.proof == proof or (r.pending and r.pending:sub(1, 32) == proof)
end

-- Where a commit is in the list of those that took effect, each of which is 24 octets long.
local function place(commits, id)
  local at = commits:find(id, 1, true)
  while at and at % 24 ~= 1 do
    at = commits:find(id, at + 1, true)
  end
  return at
end

local function pack_times(r, revision)
  return struct.pack(
    TIMES, 1, r.created, r.last_seen, r.renewed, r.idle, r.idle_deadline, r.absolute, revision)
end

-- The idle deadline after a touch: only forward, never past the timeouts.
local function touch(r, till)
  local latest = math.min(r.absolute, now + r.idle)
  r.idle_deadline = math.min(math.max(r.idle_deadline, math.min(till, latest)), r.absolute)
  r.last_seen = math.max(r.last_seen, now)
end

local function expire(deadline)
  redis.call('PEXPIREAT', session, text(deadline + SLACK))
end

-- Fields from `first` on, some thousand at a time, since Lua's stack has an end.
local function change(command, list, first)
  for at = first, #list, 2000 do
    redis.call(command, session, unpack(list, at, math.min(at + 1999, #list)))
  end
end

-- What the schedule calls the session. There are no braces before it but those of the bucket.
local function name()
  return session:match('}:(.*)')
end
