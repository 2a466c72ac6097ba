/** views.*: modals and the App Home. */
import { type Answer, type Api, type Methods, no, refused } from './answer.js';
import { checkView } from './limits.js';
import { type Obj, str } from './types.js';
import { wireView } from './wire.js';
import { replaceView, storeView } from './world.js';

/** Three stacked views at most. */
const MOST_VIEWS = 3;

export const VIEWS: Methods = {
  'views.open': (api, args) => openView(api, args, false),
  'views.push': (api, args) => openView(api, args, true),
  'views.update': ({ world }, args) => {
    const id = str(args['view_id']);
    const external = str(args['external_id']);
    const view = world.views.find(
      (each) => each.id === id || (external !== '' && each.view['external_id'] === external),
    );
    if (!view?.open) return no('not_found', id || external);
    const hash = str(args['hash']);
    if (hash !== '' && hash !== view.hash) return no('hash_conflict', id);
    const problem = checkView(args['view'])[0];
    if (problem) return refused(problem);
    replaceView(world, view, args['view'] as Obj);
    return { ok: true, view: wireView(world, view) };
  },
  'views.publish': ({ world }, args) => {
    const user = str(args['user_id']);
    if (!world.options.users.some((each) => each.id === user)) return no('user_not_found', user);
    const problem = checkView(args['view'])[0];
    if (problem) return refused(problem);
    const view = storeView(world, user, args['view'] as Obj, null);
    return { ok: true, view: wireView(world, view) };
  },
};

function openView(api: Api, args: Obj, push: boolean): Answer {
  const { world } = api;
  const trigger = world.triggers.get(str(args['trigger_id']));
  if (!trigger) return no('invalid_trigger_id', str(args['trigger_id']));
  if (trigger.used > 0) return no('exchanged_trigger_id', 'a trigger_id works once');
  if (Date.now() > trigger.until) return no('expired_trigger_id', 'a trigger_id lives 3 seconds');
  const problem = checkView(args['view'])[0];
  if (problem) return refused(problem);
  const below = push ? world.views.find((each) => each.id === trigger.viewId && each.open) : undefined;
  if (push && !below) return no('not_found', 'views.push needs a trigger_id from within a modal');
  const depth = world.views.filter((each) => each.open && each.rootId === below?.rootId).length;
  if (push && depth >= MOST_VIEWS) return no('push_limit_reached', `${MOST_VIEWS} views at most`);
  trigger.used += 1;
  const view = storeView(world, trigger.userId, args['view'] as Obj, below ?? null, trigger.act);
  return { ok: true, view: wireView(world, view) };
}
