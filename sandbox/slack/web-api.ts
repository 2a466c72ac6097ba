/** The Web API methods that a bot calls, with Slack's answers and refusals. */
import { type Answer, type Api, no } from './answer.js';
import { CHAT } from './api-chat.js';
import { DIRECTORY } from './api-directory.js';
import { FILES } from './api-files.js';
import { VIEWS } from './api-views.js';
import type { Obj } from './types.js';
import { violate, type World } from './world.js';

const METHODS = { ...CHAT, ...VIEWS, ...FILES, ...DIRECTORY };

/** Runs one method. Every refusal is on record as a violation. */
export function call(api: Api, method: string, args: Obj, token: string): Answer {
  const answer = METHODS[method]
    ? (authError(api.world, method, token) ?? METHODS[method](api, args))
    : no('unknown_method', method);
  if (!answer.ok) violate(api.world, method, answer.error, answer.detail ?? '');
  return answer;
}

function authError(world: World, method: string, token: string): Answer | null {
  const { appToken, botToken } = world.options;
  const [wanted, other] = method === 'apps.connections.open' ? [appToken, botToken] : [botToken, appToken];
  if (token === wanted) return null;
  if (token === '') return no('not_authed', 'no token');
  return no(token === other ? 'not_allowed_token_type' : 'invalid_auth', 'wrong token');
}
