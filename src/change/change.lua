--[[
Writes a change by compare-and-set, and together with it whatever must never be there without it: its plan, its hosts' results, the
record of who moved it.

KEYS[1]  the change, JSON: it begins with its version
KEYS[2]  set of the ids of open changes
KEYS[3]  sorted set 'pod CIDR, change id' -> ms since 1970: when its routes last moved
KEYS[4]  hash what -> id of the newest change that does it
KEYS[5]  the sealed plan                       KEYS[6]  the plan as it runs, where that is more than the sealed one
KEYS[7]  hash host -> result                   KEYS[8]  list of audit events that are not in the log yet
KEYS[9]  sorted set of the ids of changes whose cards are behind, by the version that they have to show
KEYS[10] hash host -> pinned fingerprint
ARGV     version expected (0: must not exist), JSON, id, 1 when open, now (ms), since when moves are kept (ms),
         what a new change does that no other open one may do meanwhile (else empty), the one that may do it all the same,
         s for which plan and results of a change that is over are kept, sealed plan and running plan (empty: as stored),
         the host whose key is forgotten (else empty);
         then three lists, each after its length: moves that may have begun ('slice id', and 'repair' for one); audit events; host, result, ...
Answers: 1 when written, 0 when the stored version is another one, or the id of the change in the way.
]]
local stored = redis.call('GET', KEYS[1])
local version = stored and string.match(stored, '"version":(%d+)') or '0'
if version ~= ARGV[1] then return 0 end

local id, what = ARGV[3], ARGV[7]
if what ~= '' then
  local other = redis.call('HGET', KEYS[4], what)
  if other and other ~= ARGV[8] and redis.call('SISMEMBER', KEYS[2], other) == 1 then return other end
  redis.call('HSET', KEYS[4], what, id)
end

-- Runs `take` with each element of the list at ARGV[at]; what comes after the list.
local function each(at, take)
  local last = at + tonumber(ARGV[at])
  for i = at + 1, last do take(ARGV[i]) end
  return last + 1
end

redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[9], tonumber(version) + 1, id)
if ARGV[10] ~= '' then redis.call('SET', KEYS[5], ARGV[10]) end
if ARGV[11] ~= '' then redis.call('SET', KEYS[6], ARGV[11]) end

if ARGV[12] ~= '' then redis.call('HDEL', KEYS[10], ARGV[12]) end

local next = each(13, function(move) redis.call('ZADD', KEYS[3], ARGV[5], move) end)
if next > 14 then redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[6]) end
next = each(next, function(event) redis.call('RPUSH', KEYS[8], event) end)
local host
each(next, function(text)
  if host then redis.call('HSET', KEYS[7], host, text) end
  host = not host and text
end)

-- An open change keeps what it needs for as long as it stays open: a host may be away for months.
local isOpen = ARGV[4] == '1'
redis.call(isOpen and 'SADD' or 'SREM', KEYS[2], id)
for i = 5, 7 do
  if isOpen then redis.call('PERSIST', KEYS[i]) else redis.call('EXPIRE', KEYS[i], ARGV[9]) end
end
return 1
