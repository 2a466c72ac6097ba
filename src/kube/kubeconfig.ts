/** A kubeconfig: where the API server is, and how to be let in. Pure. */
import { parse } from 'yaml';
import { z } from 'zod';

/** Inline, or in a file of that name. */
export type Material = { data: string } | { file: string };

export interface ClusterLogin {
  server: URL;
  ca?: Material;
  cert?: Material;
  key?: Material;
  token?: Material;
}

const Name = z.string().min(1);
const Kubeconfig = z.object({
  'current-context': Name,
  contexts: z.array(z.object({ name: Name, context: z.object({ cluster: Name, user: Name }) })),
  clusters: z.array(
    z.object({
      name: Name,
      cluster: z.object({
        server: z.url({ protocol: /^https?$/ }),
        'certificate-authority': z.string().optional(),
        'certificate-authority-data': z.base64().optional(),
        'insecure-skip-tls-verify': z.boolean().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: Name,
      user: z.looseObject({
        'client-certificate': z.string().optional(),
        'client-certificate-data': z.base64().optional(),
        'client-key': z.string().optional(),
        'client-key-data': z.base64().optional(),
        token: z.string().optional(),
        tokenFile: z.string().optional(),
        exec: z.unknown().optional(),
        'auth-provider': z.unknown().optional(),
      }),
    }),
  ),
});

/** Reads the current context's login. Throws an Error that says what is wrong, and never what the secrets are. */
export function parseKubeconfig(text: string): ClusterLogin {
  // No aliases: a file of ours has none, and a few lines of them can grow to gigabytes.
  const read = Kubeconfig.safeParse(parse(text, { maxAliasCount: 0 }));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(`the kubeconfig is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`);
  }
  const { 'current-context': current, contexts, clusters, users } = read.data;
  const context = contexts.find(({ name }) => name === current)?.context;
  const cluster = clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = users.find(({ name }) => name === context?.user)?.user;
  if (!cluster || !user) throw new Error(`the kubeconfig has no whole context ${current}`);
  if (cluster['insecure-skip-tls-verify'])
    throw new Error('the kubeconfig skips the check of the server’s certificate, which Fairway does not');
  if (user.exec !== undefined || user['auth-provider'] !== undefined)
    throw new Error(
      'the kubeconfig asks a program for its login; Fairway takes a token or a client certificate',
    );
  return {
    server: new URL(cluster.server),
    ...material('ca', cluster['certificate-authority-data'], cluster['certificate-authority']),
    ...material('cert', user['client-certificate-data'], user['client-certificate']),
    ...material('key', user['client-key-data'], user['client-key']),
    ...(user.token ? { token: { data: user.token } } : material('token', undefined, user.tokenFile)),
  };
}

function material<K extends string>(key: K, data?: string, file?: string): { [P in K]?: Material } {
  const found = data ? { data: Buffer.from(data, 'base64').toString('utf8') } : file ? { file } : undefined;
  return (found ? { [key]: found } : {}) as { [P in K]?: Material };
}
