/** The Web API methods that a bot calls, with Slack's answers and refusals. */
import { type Answer, type Api, no } from './answer.js';
import { CHAT } from './api-chat.js';
import { DIRECTORY } from './api-directory.js';
import { FILES } from './api-files.js';
import { HISTORY } from './api-history.js';
import { VIEWS } from './api-views.js';
import type { Obj } from './types.js';
import { violate, type World } from './world.js';

const METHODS = { ...CHAT, ...HISTORY, ...VIEWS, ...FILES, ...DIRECTORY };

/** Runs one method. Every refusal is on record as a violation. */
export function call(api: Api, method: string, args: Obj, token: string): Answer {
  const answer = METHODS[method]
    ? (authError(api.world, method, token) ?? denied(api.world, method) ?? METHODS[method](api, args))
    : no('unknown_method', method);
  if (!answer.ok) violate(api.world, method, answer.error, answer.detail ?? '');
  return answer;
}

/** An app that asks for little can't read back what it wrote. */
const NO_SCOPE = { 'conversations.history': 'missing_scope', 'conversations.replies': 'missing_scope' };

function denied(world: World, method: string): Answer | null {
  const errors: Readonly<Record<string, string>> = world.options.refuse ?? NO_SCOPE;
  return errors[method] === undefined ? null : no(errors[method], 'as this workspace is set up');
}

function authError(world: World, method: string, token: string): Answer | null {
  const { appToken, botToken } = world.options;
  const [wanted, other] = method === 'apps.connections.open' ? [appToken, botToken] : [botToken, appToken];
  if (token === wanted) return null;
  if (token === '') return no('not_authed', 'no token');
  return no(token === other ? 'not_allowed_token_type' : 'invalid_auth', 'wrong token');
}
