/** The sandbox's SSH configuration leads to the sandbox's hosts and nowhere else. Pure. */

/** Nobody listens on port 1, and jumping over it leads nowhere, whatever user, address and port were typed. */
const NOWHERE = `Host no-such-host-in-the-sandbox
  HostName 127.0.0.1
  Port 1
  BindAddress 127.0.0.1
  ProxyJump none
Host *
  ProxyJump no-such-host-in-the-sandbox
`;

/**
 * `file` with what it does not map led astray; `text` is what the file holds. A HostName for everything else would hide what the
 * file says of the address of a node that goes by another name; so it is the way there that is closed. The first value counts.
 */
export function closedSshConfig(file: string, text: string): string {
  const mapped = [...text.matchAll(/^Host (.+)$/gm)]
    .map(([, names]) => names)
    .filter((names) => names !== '*');
  const known = mapped.map((names) => `Host ${names}\n  ProxyJump none\n`);
  return `${known.join('')}${NOWHERE}Include "${file}"\n`;
}
