/** Builds the guide's cluster (S18) the way a person would: three commands, three approvals. */
import { ALICE, BOB, HOSTS, type World } from './world.js';

const WITHIN_MS = 60_000;
const SETUP = 'CSETUP';

/** Adds lin01, win01 and win02, in that order, and waits for each. Throws when one does not get there. */
export async function buildGuide({ slack }: World, onStep: (name: string) => void): Promise<void> {
  for (const host of HOSTS.slice(0, 3)) {
    onStep(host.name);
    await slack.as(ALICE).slash(`add ${host.os} node ${host.name} ${host.address}`, SETUP);
    const planned = await slack.waitFor(
      (message) => isAbout(message, host.name) && stateOf(message) !== 'planning',
      WITHIN_MS,
    );
    if (stateOf(planned) !== 'pending') throw new Error(`${host.name} was not planned: ${planned.text}`);
    await slack.as(BOB).click(planned.ts, 'Approve', SETUP);
    const done = await slack.waitFor(
      (message) => message.ts === planned.ts && ENDS.includes(stateOf(message)),
      WITHIN_MS,
    );
    if (stateOf(done) !== 'applied') throw new Error(`${host.name} was not added: ${done.text}`);
  }
}

const ENDS = ['applied', 'owing', 'failed', 'stale', 'denied', 'refused', 'cancelled', 'expired'];

function isAbout(message: { text: string; channel: string }, name: string): boolean {
  return message.channel === SETUP && message.text.includes(name);
}

function stateOf(message: { metadata?: unknown }): string {
  const metadata = message.metadata as { event_payload?: { state?: string } } | undefined;
  return metadata?.event_payload?.state ?? '';
}
