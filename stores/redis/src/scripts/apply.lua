-- KEYS[3]: the schedule. ARGV: proof; then a commit, or several that change data alone, with an
-- empty argument between two. A commit: its id, revision, the new deadline or 0 and the settled
-- commits in one; `+` and five more if it does more than change data; then perhaps `clear`, a number
-- and so many fields that stay; and an operation, a field and its arguments for each step.
--
-- All of a commit is checked before the first write: a script that fails halfway is not undone. Of
-- several, the first that is not simply done is the last that this call looks at.
--
-- Each call makes its functions anew, so what is needed once stands where it is needed.
--
-- The answer is that to the commit. To several it is 1 if all are done, or else a list with the
-- answers to those that were looked at.
-- Each look at a global is a search in a table.
local given, count = ARGV, #ARGV
local proof, at = given[3], 4
local HORIZON, FORMER_GRACE, PENDING_GRACE = 10000, 120000, 60000
local LONGEST = 4194304
-- Lua adds numbers below it exactly, and what it makes of two of them.
local EXACT = 1e15
local GONE, DONE, ALREADY, STALE, TOO_LARGE = 0, 1, 2, 3, 4

-- With the value that the first step looks at: most patches have one step.
local looks = given[5] == 'add' or given[5] == 'push' or given[5] == 'replace'
local ahead = looks and given[6]
local r, why = read(ahead)
if not r then
  return why
end
if not r.alive then
  return GONE
end

-- The commits to be written and what they have settled; the fields and what they become, false if
-- they go and a number if Lua has added to it; and what the server is to add to others.
local done, settled, news, sums = {}, {}, {}, nil
local accepted = accepts(r, proof)
local was, seen_before, before = r.user, r.last_seen, math.min(r.idle_deadline, r.absolute)
local answer, number, used_till, more, step, revision = DONE, 0, 0, nil, nil, nil
repeat
  number = number + 1
  local head = given[at]
  local id, its_revision, till = struct.unpack('>c16c8I8', head)
  more = given[at + 1] == '+' and at + 2
  at = more and at + 7 or at + 1
  local survives = given[at] == 'clear' and {}
  if survives then
    local first = at + 2
    at = first + given[at + 1]
    for kept = first, at - 1 do
      survives[given[kept]] = true
    end
  end
  step = at

  if done[id] or place(r.commits, id) then
    answer = ALREADY
  elseif not accepted then
    answer = GONE
  end
  local puts = {}
  while answer == DONE and at <= count and given[at] ~= '' do
    local operation, field, operand = given[at], given[at + 1], given[at + 2]
    at = at + 3
    if survives then
      survives[field] = true
    end
    if operation == 'set' then
      puts[field] = operand
    elseif operation == 'remove' then
      puts[field] = false
      at = at - 1
    else
      local value = news[field]
      if value == nil then
        if field == ahead then
          value = r.value
        else
          value = redis.call('HGET', session, field)
        end
      end
      local known = type(value) == 'number'
      if known and operation ~= 'add' then
        value = text(value)
      end
      if operation == 'add' then
        local digits = not known
          and (not value and '' or value == '0' and value or value:match('^%-?([1-9]%d*)$'))
        local exact = known and value < EXACT and value > -EXACT or digits and #digits <= 15
        if exact and #operand <= 15 then
          puts[field] = (value or 0) + operand
        elseif known or digits and #digits <= 18 then
          -- Integers of 18 digits cannot overflow.
          sums = sums or {}
          sums[#sums + 1] = { field, operand }
        else
          answer = STALE
        end
      elseif operation == 'replace' then
        if (value or '') ~= operand then
          answer = STALE
        end
        puts[field] = given[at] ~= '' and given[at]
        at = at + 1
      elseif not value then
        puts[field] = '[' .. operand .. ']'
      elseif #value + #operand > LONGEST then
        answer = TOO_LARGE
      elseif value:byte(1) ~= 91 or value:byte(-1) ~= 93 then
        answer = STALE
      else
        local first, last = value:find('%S', 2), #value - 1
        while last > 1 and value:find('^%s', last) do
          last = last - 1
        end
        local comma = (first > last or operand == '') and '' or ','
        puts[field] = '[' .. value:sub(first, last) .. comma .. operand .. ']'
      end
    end
  end

  if answer == DONE then
    at = at + 1
    done[number], done[id], revision = id, true, its_revision
    if #head > 32 then
      settled[#settled + 1] = head:sub(33)
    end
    if survives then
      for _, field in ipairs(redis.call('HKEYS', session)) do
        if field:byte() == 61 and not survives[field] then
          puts[field] = false
        end
      end
    end
    if number == 1 then
      news = puts
    else
      for field, new in pairs(puts) do
        news[field] = new
      end
    end
    if more then
      local lifetimes, proofs, user, authenticated = unpack(given, more + 1, more + 4)
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
      local kind, new = proofs:sub(1, 1), proofs:sub(2)
      if kind == 'r' then
        news.f = r.proof and r.proof .. struct.pack('>I8', now + FORMER_GRACE)
      elseif kind == 'p' then
        if not r.pending or now - struct.unpack('>I8', r.pending, 33) >= PENDING_GRACE then
          news.n = new .. struct.pack('>I8', now)
        end
      end
      if kind == 'r' or (kind == 'c' and r.pending and r.pending:sub(1, 32) == new) then
        news.n, news.p = false, new
        r.renewed = now
      end
      if user ~= '' then
        r.user = user:byte() == 43 and user:sub(2) or false
        news.u, news.a = r.user, r.user and struct.pack('>I8', tonumber(authenticated))
        if r.user ~= was then
          news.e = stamp(r.seen and struct.unpack('>I8', r.seen) or 0, r.user)
        end
      end
    end
    used_till = till > used_till and till or used_till
  end
until answer ~= DONE or sums or at > count
if used_till > 0 then
  touch(r, used_till)
end
if answer ~= DONE then
  sums = nil
end

if #done > 0 then
  -- The oldest stand first. Lua reads each string that it makes to its end, so few long ones are made.
  local commits, first = r.commits, 1
  while first < #commits and now - struct.unpack('>I8', commits, first + 16) >= HORIZON do
    first = first + 24
  end
  local places, kept = {}, {}
  for _, ids in ipairs(settled) do
    for from = 1, #ids, 16 do
      places[#places + 1] = place(commits, ids:sub(from, from + 15))
    end
  end
  table.sort(places)
  for _, here in ipairs(places) do
    if here > first then
      kept[#kept + 1] = commits:sub(first, here - 1)
    end
    first = here >= first and here + 24 or first
  end
  if first < #commits then
    kept[#kept + 1] = first == 1 and commits or commits:sub(first)
  end
  local at_now = struct.pack('>I8', now)
  kept[#kept + 1] = table.concat(done, at_now)
  kept[#kept + 1] = at_now

  local deadline = math.min(r.idle_deadline, r.absolute)
  local puts, drops = { 'k', table.concat(kept), 't', pack_times(r, revision) }, {}
  for field, new in pairs(news) do
    if new then
      puts[#puts + 1] = field
      puts[#puts + 1] = type(new) == 'number' and text(new) or new
    else
      drops[#drops + 1] = field
    end
  end
  change('HDEL', drops, 1)
  change('HSET', puts, 1)
  for _, sum in ipairs(sums or {}) do
    redis.call('HINCRBY', session, sum[1], sum[2])
  end
  if deadline ~= before then
    expire(deadline)
  end
  if deadline < before then
    redis.call('ZADD', KEYS[3], 'LT', text(deadline), name())
  end
end

local together = number > 1 or at <= count
if answer ~= DONE then
  -- What the steps look at.
  local arity = { set = 3, remove = 2, add = 3, push = 3, replace = 4 }
  local fields, found = { 't', 'p', 'n', 'k' }, {}
  while step <= count and given[step] ~= '' do
    fields[#fields + 1] = given[step + 1]
    step = step + arity[given[step]]
  end
  together = number > 1 or step <= count
  if answer == ALREADY then
    answer = { ALREADY, packed(redis.call('HGETALL', session)) }
  elseif answer == STALE then
    for _, field in ipairs(fields) do
      local value = redis.call('HGET', session, field)
      if value then
        found[#found + 1] = field
        found[#found + 1] = value
      end
    end
    answer = { STALE, packed(found) }
  end
else
  local changed, wanted = r.user ~= was, more and given[more] ~= ''
  local due = r.user
    and ((more and given[more + 3] ~= '')
      or math.floor(seen_before / 60000) ~= math.floor(r.last_seen / 60000))
  if due or changed or wanted then
    answer = {
      DONE,
      due and r.user,
      changed and was,
      text(r.absolute),
      wanted and packed(redis.call('HGETALL', session)),
    }
  end
end

if not together then
  return answer
end
if answer == DONE and at > count then
  return DONE
end
local answers = {}
for one = 1, number - 1 do
  answers[one] = DONE
end
answers[number] = answer
return answers
