/** What the cards of many hosts say: of a storm of incidents, and of what differs once a day. Pure. */
import type { ToldView } from '../command/notice-view.js';
import { SKEWED_S } from '../time.js';
import type { Digest } from '../watch/notice.js';
import { code, lines } from './mrkdwn.js';
import { light, outcome } from './notice.js';
import { more, plural } from './phrase.js';

export const stormWords = {
  title: (cluster: string, incidents: number, hosts: number) =>
    `${cluster}: ${plural(incidents, 'incident')} on ${plural(hosts, 'host')}`,
  head: (bad: number) => (bad === 0 ? '*🟢 All of it is over.*' : `*🔴 ${bad} not over yet.*`),
  /** `🔴 40 × kubelet is down: lin01, lin02 … and 38 more`. `view` is one of them. */
  line: (view: Pick<ToldView, 'told' | 'incident'>, hosts: readonly string[]) => {
    const what = `${view.told.component ? `${view.told.component} ` : ''}${outcome(view)}`;
    const names = lines(
      hosts.map((host) => code(host, 80)),
      700,
      more,
      ', ',
    );
    return `${light(view.incident)} ${hosts.length} × ${what}: ${names}`;
  },
  foot: `${code('incidents')} lists them, ${code('routes <node>')} reads one host's table.`,
} as const;

export const digestWords = {
  title: (cluster: string) => `${cluster}: what differs, once a day`,
  line: ({ host, stray, foreign, skew }: Digest['hosts'][number]) =>
    [
      ...stray.map((route) => `⚠️ ${code(host, 80)} holds one of ours that nobody needs: ${code(route)}`),
      ...foreign.map(
        (route) =>
          `🚧 ${code(host, 80)} has a route in the way, not ours, for you to remove there: ${code(route)}`,
      ),
      ...(Math.abs(skew) > SKEWED_S
        ? [
            `🕰️ ${code(host, 80)}: its clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}; set it there`,
          ]
        : []),
    ].join('\n'),
  foot: `${code('routes')} reads the tables anew, ${code('repair')} plans what can be mended.`,
} as const;
