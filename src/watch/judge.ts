/** The rules that make incidents of what was seen. Pure. */
import { Component } from '../node/component.js';
import type { Hush, Incident, Reason } from './incident.js';
import { isLost, isSame, LATELY_MS, type Lost, type Watched } from './watched.js';

/** A process may be away for this long before it counts as down: service managers start it again within seconds. */
export const DOWN_AFTER_MS = 10_000;
/** A host may be silent for this long: a connection that broke and one more try. */
export const SILENT_AFTER_MS = 20_000;
/** What happens within this after a boot belongs to the boot. */
const BOOTING_MS = 5 * 60_000;
/** Starts within 20 minutes that make a crash loop, as node-problem-detector counts. */
const LOOP_STARTS = 5;

/** What ids begin with that are not given yet: the store gives them. */
export const NEW = 'new-';

export interface Judging {
  before: Watched;
  after: Watched;
  /** ISO instant of the look. */
  now: string;
  /** Processes that we ourselves restarted or stopped a moment ago. */
  expected: ReadonlySet<Component>;
  /** Why nobody is to be told of this host, or of one of its processes; null: they are. */
  hush(component?: Component): Hush | null;
}

/** The host's incidents after a look, and those that are over now. */
export function judge(judging: Judging): { incidents: Incident[]; over: Incident[] } {
  const { before, now } = judging;
  const desk = new Desk(judging);
  if (judging.after.rebootedAt === now && before.rebootedAt !== now) rebooted(desk, judging);
  // What a host that does not answer runs is unknown.
  if (judging.after.silentSince === undefined)
    for (const component of Component.options) judgeProcess(desk, judging, component);
  judgeSilence(desk, judging);
  judgeLost(desk, judging);
  return desk.close();
}

function rebooted(desk: Desk, { now }: Judging): void {
  for (const each of desk.all('down', 'crash-loop', 'restarted')) desk.end(each);
  const silent = desk.find('unreachable');
  // One incident, not three: the silence was the reboot.
  if (silent?.state === 'bad') desk.change(silent, { rebooted: true, lastAt: now });
  else desk.raise({ reason: 'rebooted', state: 'good' });
}

function judgeProcess(desk: Desk, judging: Judging, component: Component): void {
  const { before, after, now } = judging;
  const since = after.gone[component];
  const loop = desk.find('crash-loop', component);
  if (since !== undefined) away(desk, judging, component, since);
  else if (isStart(before, after, component)) started(desk, judging, component);
  else if (loop?.state === 'bad' && age(loop.lastAt, now) >= LATELY_MS) desk.change(loop, { state: 'good' });
}

/** Another process of the same boot than the one known. */
function isStart(before: Watched, after: Watched, component: Component): boolean {
  const [known, seen] = [before.running[component], after.running[component]];
  return (
    known !== undefined &&
    seen !== undefined &&
    !isSame(known, seen) &&
    after.rebootedAt === before.rebootedAt
  );
}

function away(desk: Desk, judging: Judging, component: Component, since: string): void {
  const { after, now } = judging;
  const from = after.running[component];
  const isNews = age(since, now) >= DOWN_AFTER_MS && !isOurs(judging, component);
  const isKnown = desk
    .all('crash-loop', 'down')
    .some((each) => each.component === component && each.state === 'bad');
  if (isNews && from && !isKnown) desk.raise({ reason: 'down', component, state: 'bad', from });
}

function started(desk: Desk, judging: Judging, component: Component): void {
  const { before, after, now } = judging;
  const [from, to] = [before.running[component], after.running[component]];
  if (!from || !to) return;
  const facts = { component, from, to };
  const starts = after.starts[component]?.length ?? 0;
  const loop = desk.find('crash-loop', component);
  const down = desk.find('down', component);
  if (down?.state === 'bad') desk.change(down, { ...facts, state: 'good', lastAt: now });
  else if (isOurs(judging, component)) return;
  else if (loop) desk.change(loop, { ...facts, state: 'bad', count: loop.count + 1, lastAt: now });
  else if (starts < LOOP_STARTS) desk.raise({ ...facts, reason: 'restarted', state: 'good' });
  else {
    for (const each of desk.all('restarted', 'down')) if (each.component === component) desk.end(each);
    desk.raise({ ...facts, reason: 'crash-loop', state: 'bad' }, starts);
  }
}

/** A process that comes or goes by our own hand, or by a boot, is no news of its own. */
function isOurs({ after, now, expected }: Judging, component: Component): boolean {
  const { rebootedAt } = after;
  return expected.has(component) || (rebootedAt !== undefined && age(rebootedAt, now) < BOOTING_MS);
}

function judgeSilence(desk: Desk, { after, now }: Judging): void {
  const known = desk.find('unreachable');
  const { silentSince, why = '' } = after;
  if (silentSince === undefined) {
    // What the boot lost keeps it bad.
    if (known?.state === 'bad' && !isLost(known.lost)) desk.change(known, { state: 'good' });
  } else if (known?.state !== 'bad' && after.misses >= 2 && age(silentSince, now) >= SILENT_AFTER_MS) {
    desk.raise({ reason: 'unreachable', state: 'bad', why, rebooted: false }, 1, silentSince);
  }
}

/** What a boot lost stands on the boot's card. A host that does not answer has lost nothing that we know of. */
function judgeLost(desk: Desk, { before, after, now }: Judging): void {
  if (after.silentSince !== undefined) return;
  const carriers = desk.all('rebooted', 'unreachable', 'lost');
  const carrying = carriers.find((each) => isLost(each.lost));
  if (!isLost(after.lost)) {
    if (carrying) desk.change(carrying, { state: 'good', lost: after.lost });
    return;
  }
  const boot = carriers.find(
    (each) => (each.reason === 'rebooted' || each.rebooted) && age(each.lastAt, now) < BOOTING_MS,
  );
  const carrier = carrying ?? boot;
  const isMore = isLost(more(after.lost, before.lost));
  if (carrier === undefined) desk.raise({ reason: 'lost', state: 'bad', lost: after.lost });
  else desk.change(carrier, { state: 'bad', lost: after.lost, ...(isMore ? { lastAt: now } : {}) });
}

/** What is lost now and was not before. */
function more(now: Lost, before: Lost): Lost {
  const known = new Set(before.routes.map((route) => route.destination));
  return {
    routes: now.routes.filter((route) => !known.has(route.destination)),
    gateway: now.gateway && !before.gateway,
    forwarding: now.forwarding && !before.forwarding,
  };
}

/** The host's incidents while they are judged. */
class Desk {
  private readonly judging: Judging;
  private incidents: Incident[];
  private readonly over: Incident[] = [];
  private raised = 0;

  constructor(judging: Judging) {
    this.judging = judging;
    this.incidents = [...judging.after.incidents];
  }

  all(...reasons: Reason[]): Incident[] {
    return this.incidents.filter((each) => reasons.includes(each.reason));
  }

  find(reason: Reason, component?: Component): Incident | undefined {
    return this.incidents.find((each) => each.reason === reason && each.component === component);
  }

  /** A new incident; or one more time, when it came not long ago. */
  raise(
    facts: Pick<Incident, 'reason' | 'state'> & Partial<Incident>,
    count = 1,
    firstAt = this.judging.now,
  ): void {
    const { now } = this.judging;
    const hushed = this.judging.hush(facts.component);
    const known = this.find(facts.reason, facts.component);
    if (known) {
      this.change(known, { ...facts, count: known.count + 1, lastAt: now });
      if (!hushed) this.speakUp(known.id);
      return;
    }
    this.raised += 1;
    const fresh: Incident = { id: `${NEW}${this.raised}`, count, firstAt, lastAt: now, ...facts };
    this.incidents.push({ ...settled(fresh, now), ...(hushed ? { hushed } : {}) });
  }

  change(incident: Incident, to: Partial<Incident>): void {
    const isNew = incident.state === 'bad' || to.lastAt !== undefined;
    const since = isNew ? this.judging.now : (incident.goodSince ?? this.judging.now);
    this.replace(incident.id, settled({ ...incident, ...to }, since));
  }

  end(incident: Incident): void {
    this.incidents = this.incidents.filter((each) => each.id !== incident.id);
    this.over.push({ ...incident, state: 'good' });
  }

  /** Ends what has been good for long enough, and speaks up about what is bad still when nobody has to be quiet any more. */
  close(): { incidents: Incident[]; over: Incident[] } {
    const { now, hush } = this.judging;
    for (const each of this.incidents) {
      if (each.state === 'good' && age(each.goodSince ?? each.lastAt, now) >= LATELY_MS) this.end(each);
      else if (each.state === 'bad' && !hush(each.component)) this.speakUp(each.id);
    }
    return { incidents: this.incidents, over: this.over };
  }

  private speakUp(id: string): void {
    const found = this.incidents.find((each) => each.id === id);
    if (!found?.hushed) return;
    const { hushed: _hushed, ...loud } = found;
    this.replace(id, loud);
  }

  private replace(id: string, by: Incident): void {
    this.incidents = this.incidents.map((each) => (each.id === id ? by : each));
  }
}

function settled({ goodSince: _old, ...incident }: Incident, since: string): Incident {
  return incident.state === 'good' ? { ...incident, goodSince: since } : incident;
}

function age(since: string, now: string): number {
  return Date.parse(now) - Date.parse(since);
}
