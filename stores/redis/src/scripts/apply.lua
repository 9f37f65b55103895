-- KEYS[3]: the schedule. ARGV: see below, then the fields that survive a clear, then an operation, a
-- field and its arguments for each step. All is checked before the first write: a script that fails halfway is not undone.
local proof, commit, revision, name, wanted = unpack(ARGV, 3, 7)
local till, lifetimes, change, user, authenticated, settled, clear = unpack(ARGV, 8, 14)
local HORIZON, FORMER_GRACE, PENDING_GRACE = 10000, 120000, 60000
local LONGEST = 4194304
local GONE, DONE, ALREADY, STALE, TOO_LARGE = 0, 1, 2, 3, 4

local r, why = read()
if not r then
  return why
end
if place(r.commits, commit) then
  return r.alive and { ALREADY, packed(redis.call('HGETALL', session)) } or GONE
end
if not r.alive or not accepts(r, proof) then
  return GONE
end

local at = 15
local cleared = clear ~= ''
local survives = {}
if cleared then
  for _ = 1, tonumber(clear) do
    survives[ARGV[at]] = true
    at = at + 1
  end
end

-- The record as far as the steps look at it.
local first_step, arity = at, { set = 3, remove = 2, add = 3, push = 3, replace = 4 }
local function stale()
  local fields, found = { 't', 'p', 'n', 'k' }, {}
  local step = first_step
  while step <= #ARGV do
    fields[#fields + 1] = ARGV[step + 1]
    step = step + arity[ARGV[step]]
  end
  for _, field in ipairs(fields) do
    local value = redis.call('HGET', session, field)
    if value then
      found[#found + 1] = field
      found[#found + 1] = value
    end
  end
  return { STALE, packed(found) }
end

-- An integer that a sum with another one of 18 digits cannot overflow, written as HINCRBY does.
local function countable(value)
  local digits = value:match('^%-?([1-9]%d*)$')
  return value == '0' or (digits and #digits <= 18)
end

-- The list with the items appended, as text.
local function pushed(list, items)
  if not list then
    return '[' .. items .. ']'
  end
  if list:byte(1) ~= 91 or list:byte(-1) ~= 93 then
    return nil
  end
  local first, last = list:find('%S', 2), #list - 1
  while last > 1 and list:find('^%s', last) do
    last = last - 1
  end
  if first > last or items == '' then
    return '[' .. list:sub(first, last) .. items .. ']'
  end
  return '[' .. list:sub(first, last) .. ',' .. items .. ']'
end

local puts, drops, sums = {}, {}, {}
local function set(field, value)
  puts[#puts + 1] = field
  puts[#puts + 1] = value
end

while at <= #ARGV do
  local operation, field = ARGV[at], ARGV[at + 1]
  survives[field] = true
  if operation == 'set' then
    set(field, ARGV[at + 2])
    at = at + 3
  elseif operation == 'remove' then
    drops[#drops + 1] = field
    at = at + 2
  elseif operation == 'add' then
    local value = redis.call('HGET', session, field)
    if value and not countable(value) then
      return stale()
    end
    sums[#sums + 1] = { field, ARGV[at + 2] }
    at = at + 3
  elseif operation == 'push' then
    local value = redis.call('HGET', session, field)
    if value and #value + #ARGV[at + 2] > LONGEST then
      return TOO_LARGE
    end
    local list = pushed(value, ARGV[at + 2])
    if not list then
      return stale()
    end
    set(field, list)
    at = at + 3
  else
    local saw, with = ARGV[at + 2], ARGV[at + 3]
    if (redis.call('HGET', session, field) or '') ~= saw then
      return stale()
    end
    if with == '' then
      drops[#drops + 1] = field
    else
      set(field, with)
    end
    at = at + 4
  end
end
if cleared then
  for _, field in ipairs(redis.call('HKEYS', session)) do
    if field:byte() == 61 and not survives[field] then
      drops[#drops + 1] = field
    end
  end
end

-- The oldest stand first.
local first = 1
while first < #r.commits and now - struct.unpack('>I8', r.commits, first + 16) >= HORIZON do
  first = first + 24
end
local commits = r.commits:sub(first)
for from = 1, #settled, 16 do
  local done = place(commits, settled:sub(from, from + 15))
  if done then
    commits = commits:sub(1, done - 1) .. commits:sub(done + 24)
  end
end
set('k', commits .. commit .. struct.pack('>I8', now))

local was = r.user
if user ~= '' then
  local bound = user:byte() == 43 and user:sub(2) or false
  if bound then
    set('u', bound)
    set('a', struct.pack('>I8', tonumber(authenticated)))
  else
    drops[#drops + 1] = 'u'
    drops[#drops + 1] = 'a'
  end
  if bound ~= was then
    local seen = stamp(r.seen and struct.unpack('>I8', r.seen) or 0, bound)
    if seen then
      set('e', seen)
    else
      drops[#drops + 1] = 'e'
    end
  end
  r.user = bound
end

local kind, new = change:sub(1, 1), change:sub(2)
local pending = r.pending and r.pending:sub(1, 32)
if kind == 'r' then
  if r.proof then
    set('f', r.proof .. struct.pack('>I8', now + FORMER_GRACE))
  else
    drops[#drops + 1] = 'f'
  end
  drops[#drops + 1] = 'n'
  set('p', new)
  r.renewed = now
elseif kind == 'p' then
  if not pending or now - struct.unpack('>I8', r.pending, 33) >= PENDING_GRACE then
    set('n', new .. struct.pack('>I8', now))
  end
elseif kind == 'c' and pending == new then
  drops[#drops + 1] = 'n'
  set('p', new)
  r.renewed = now
end

local minute = math.floor(r.last_seen / 60000)
local before = math.min(r.idle_deadline, r.absolute)
if lifetimes ~= '' then
  local idle, absolute = lifetimes:match('^(%d*) (%d*)$')
  if absolute ~= '' then
    r.absolute = tonumber(absolute)
    r.idle_deadline = math.min(r.idle_deadline, r.absolute)
  end
  if idle ~= '' then
    r.idle = tonumber(idle)
    r.idle_deadline = math.min(r.absolute, now + r.idle)
    r.last_seen = math.max(r.last_seen, now)
  end
end
if till ~= '' then
  touch(r, tonumber(till))
end
local deadline = math.min(r.idle_deadline, r.absolute)
set('t', pack_times(r, revision))

each_chunk(drops, 1, function(...)
  redis.call('HDEL', session, ...)
end)
for _, sum in ipairs(sums) do
  redis.call('HINCRBY', session, sum[1], sum[2])
end
put(puts, 1)
if deadline ~= before then
  expire(deadline)
end
if deadline < before then
  redis.call('ZADD', KEYS[3], 'LT', text(deadline), name)
end
local changed = r.user ~= was
local due = r.user and (user ~= '' or minute ~= math.floor(r.last_seen / 60000))
if not due and not changed and wanted == '' then
  return DONE
end
return {
  DONE,
  due and r.user,
  changed and was,
  text(r.absolute),
  wanted ~= '' and packed(redis.call('HGETALL', session)),
}
