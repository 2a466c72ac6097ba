/** A person's open modals. */
import { checkView } from './limits.js';
import { isObj, type Obj, type Outcome, type View } from './types.js';
import { replaceView, show, storeView, violate, type World } from './world.js';

/** Throws when the user has no such modal open. */
export function openView(world: World, which: View | string, userId: string): View {
  const id = typeof which === 'string' ? which : which.id;
  const view = world.views.find((each) => each.id === id);
  if (!view?.open || view.userId !== userId) throw new Error(`no open modal ${id}`);
  return view;
}

export function close(world: World, view: View): void {
  view.open = false;
  show(world, { type: 'view', at: Date.now(), view });
}

/** What a view_submission's acknowledgement asks for: nothing closes the modal. */
export function applyResponse(world: World, view: View, outcome: Outcome): Outcome {
  const body = isObj(outcome.body) ? outcome.body : {};
  const response = body['response_action'];
  if (response === 'errors') return { ...outcome, ok: false, error: 'validation' };
  if (response === 'clear') {
    for (const each of world.views) if (each.open && each.rootId === view.rootId) close(world, each);
    return outcome;
  }
  if (response !== 'update' && response !== 'push') {
    close(world, view);
    return outcome;
  }
  const [problem] = checkView(body['view']);
  if (problem) {
    violate(world, 'ack', problem.error, problem.detail);
    return { ...outcome, ok: false, error: problem.error };
  }
  if (response === 'update') replaceView(world, view, body['view'] as Obj);
  else storeView(world, view.userId, body['view'] as Obj, view);
  return outcome;
}
