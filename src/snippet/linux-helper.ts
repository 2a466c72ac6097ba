/** The root helper of Linux nodes by hand: what to paste as root where Fairway's login may not install it. Pure. */
import { HELPER } from '../host/linux-persistence.js';
import { Component } from '../node/component.js';
import type { Snippet } from './kubectl.js';

export interface HelperByHand {
  /** Who Fairway logs in as. */
  user: string;
  /** The helper itself, its file's text. */
  text: string;
  clusterCidr: string;
  bridge: string;
}

/** All that the login may do as root then: these very command lines. */
export function sudoersLine(user: string): string {
  const services = Component.options.flatMap((component) =>
    ['start', 'stop', 'restart'].map((action) => `service ${action} ${component}`),
  );
  const verbs = ['apply', ...services, ...Component.options.map((component) => `logs ${component}`)];
  return `${user} ALL=(root) NOPASSWD: ${verbs.map((verb) => `${HELPER} ${verb}`).join(', ')}`;
}

/** For a host that is a node, or is to become one: the slice is left open, and is that of the first pod gateway. */
export function helperSnippet({ user, text, clusterCidr, bridge }: HelperByHand): Snippet {
  return {
    title: `Let ${user} do a node's part, and nothing else (as root)`,
    language: 'shell',
    code: `cat >${HELPER} <<'END-OF-HELPER'
${text.trimEnd()}
END-OF-HELPER
chown root:root ${HELPER} && chmod 755 ${HELPER} && ${HELPER} install ${clusterCidr} ${bridge}
# sudo skips a file with a dot in its name, so that nothing half right is ever in force
cat >/etc/sudoers.d/fairway.new <<'END-OF-SUDOERS'
${sudoersLine(user)}
END-OF-SUDOERS
chmod 440 /etc/sudoers.d/fairway.new && visudo -cf /etc/sudoers.d/fairway.new && mv /etc/sudoers.d/fairway.new /etc/sudoers.d/fairway`,
  };
}
