-- KEYS[3]: the schedule. ARGV: proof; commit id, revision and the new deadline or 0; the settled
-- commits; nothing, or `+` and five more if the patch does more than change data; then perhaps
-- `clear`, a number and so many fields that stay; and an operation, a field and its arguments for
-- each step. All is checked before the first write: a script that fails halfway is not undone.
local proof, head, settled = ARGV[3], ARGV[4], ARGV[5]
local commit, revision, till = struct.unpack('>c16c8I8', head)
local wanted, lifetimes, proofs, user, authenticated = '', '', '', '', ''
local at = 7
if ARGV[6] == '+' then
  wanted, lifetimes, proofs, user, authenticated = unpack(ARGV, 7, 11)
  at = 12
end
local HORIZON, FORMER_GRACE, PENDING_GRACE = 10000, 120000, 60000
local LONGEST = 4194304
local GONE, DONE, ALREADY, STALE, TOO_LARGE = 0, 1, 2, 3, 4

local survives = ARGV[at] == 'clear' and {}
if survives then
  local after = at + 2 + ARGV[at + 1]
  for kept = at + 2, after - 1 do
    survives[ARGV[kept]] = true
  end
  at = after
end

local first_step, arity = at, { set = 3, remove = 2, add = 3, push = 3, replace = 4 }
-- With the value that the first step looks at: most patches have one step.
local ahead = ARGV[at] ~= 'set' and ARGV[at] ~= 'remove' and ARGV[at + 1]
local r, why = read(ahead)
if not r then
  return why
end
if place(r.commits, commit) then
  return r.alive and { ALREADY, packed(redis.call('HGETALL', session)) } or GONE
end
if not r.alive or not accepts(r, proof) then
  return GONE
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

local fits = true
while fits and at <= #ARGV do
  local operation, field, operand = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if survives then
    survives[field] = true
  end
  if operation == 'set' then
    set(field, operand)
  elseif operation == 'remove' then
    drops[#drops + 1] = field
  else
    local value
    if field == ahead then
      value = r.value
    else
      value = redis.call('HGET', session, field)
    end
    if operation == 'add' then
      local digits = not value and '' or value == '0' and value or value:match('^%-?([1-9]%d*)$')
      if digits and #digits <= 15 and #operand <= 15 then
        set(field, text((value or 0) + operand))
      elseif digits and #digits <= 18 then
        -- Beyond what Lua adds exactly; integers of 18 digits cannot overflow.
        sums[#sums + 1] = { field, operand }
      else
        fits = false
      end
    elseif operation == 'push' then
      if value and #value + #operand > LONGEST then
        return TOO_LARGE
      end
      local list = pushed(value, operand)
      fits = list
      set(field, list)
    elseif (value or '') ~= operand then
      fits = false
    elseif ARGV[at + 3] == '' then
      drops[#drops + 1] = field
    else
      set(field, ARGV[at + 3])
    end
  end
  at = at + arity[operation]
end
if not fits then
  -- The record as far as the steps look at it.
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
if survives then
  for _, field in ipairs(redis.call('HKEYS', session)) do
    if field:byte() == 61 and not survives[field] then
      drops[#drops + 1] = field
    end
  end
end

-- The oldest stand first. Lua reads each string that it makes to its end, so few long ones are made.
local commits, first = r.commits, 1
while first < #commits and now - struct.unpack('>I8', commits, first + 16) >= HORIZON do
  first = first + 24
end
local done, kept = {}, {}
for from = 1, #settled, 16 do
  done[#done + 1] = place(commits, settled:sub(from, from + 15))
end
table.sort(done)
for _, here in ipairs(done) do
  if here > first then
    kept[#kept + 1] = commits:sub(first, here - 1)
  end
  first = math.max(first, here + 24)
end
if first < #commits then
  kept[#kept + 1] = first == 1 and commits or commits:sub(first)
end
kept[#kept + 1] = commit
kept[#kept + 1] = struct.pack('>I8', now)
set('k', table.concat(kept))

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

if proofs ~= '' then
  local kind, new = proofs:sub(1, 1), proofs:sub(2)
  if kind == 'r' then
    if r.proof then
      set('f', r.proof .. struct.pack('>I8', now + FORMER_GRACE))
    else
      drops[#drops + 1] = 'f'
    end
  elseif kind == 'p' then
    if not r.pending or now - struct.unpack('>I8', r.pending, 33) >= PENDING_GRACE then
      set('n', new .. struct.pack('>I8', now))
    end
  end
  if kind == 'r' or (kind == 'c' and r.pending and r.pending:sub(1, 32) == new) then
    drops[#drops + 1] = 'n'
    set('p', new)
    r.renewed = now
  end
end

local seen_before = r.last_seen
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
if till > 0 then
  touch(r, till)
end
local deadline = math.min(r.idle_deadline, r.absolute)
set('t', pack_times(r, revision))

change('HDEL', drops, 1)
for _, sum in ipairs(sums) do
  redis.call('HINCRBY', session, sum[1], sum[2])
end
change('HSET', puts, 1)
if deadline ~= before then
  expire(deadline)
end
if deadline < before then
  redis.call('ZADD', KEYS[3], 'LT', text(deadline), name())
end
local changed = r.user ~= was
local due = r.user
  and (user ~= '' or math.floor(seen_before / 60000) ~= math.floor(r.last_seen / 60000))
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
