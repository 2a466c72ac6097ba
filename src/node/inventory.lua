--[[
Changes the inventory and its revision together. A write that changes nothing leaves the revision as it is.

KEYS[1]  hash node name -> node JSON
KEYS[2]  revision
KEYS[3]  hash node name -> id of the change that made it a member
KEYS[4]  hash node name -> build of its Windows
ARGV     'read' | 'add', name, JSON, address, pod CIDR, change (empty: the one that it had), now (ms since 1970) | 'remove', name
         | 'builds', name, build, ... of which those of members are kept
Answers: { revision, JSON, ... } of all nodes for read, else { revision }; add: { 'taken', JSON } of the node in the way.
]]
local what, name, json, address, cidr, change = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local function revision() return redis.call('GET', KEYS[2]) or '0' end

if what == 'read' then
  local nodes = redis.call('HVALS', KEYS[1])
  table.insert(nodes, 1, revision())
  return nodes
end

if what == 'builds' then
  for i = 2, #ARGV, 2 do
    if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
  end
  return { revision() }
end

if what == 'remove' then
  redis.call('HDEL', KEYS[4], name)
  if redis.call('HDEL', KEYS[1], name) == 1 then redis.call('INCR', KEYS[2]) end
  return { revision() }
end

if redis.call('HGET', KEYS[1], name) == json then return { revision() } end
-- The leases keep this from happening; should they ever be lost, two nodes still never share a slice.
for _, other in ipairs(redis.call('HVALS', KEYS[1])) do
  local same = other:find('"address":"' .. address .. '"', 1, true) or other:find('"podCidr":"' .. cidr .. '"', 1, true)
  if same and not other:find('"name":"' .. name .. '"', 1, true) then return { 'taken', other } end
end
redis.call('HSET', KEYS[1], name, json)
-- From the clock on: should Redis lose its data, no revision comes again for another inventory. Processes that live on remember theirs.
if revision() == '0' then redis.call('SET', KEYS[2], ARGV[7]) else redis.call('INCR', KEYS[2]) end
if change ~= '' then redis.call('HSET', KEYS[3], name, change) end
return { revision() }
