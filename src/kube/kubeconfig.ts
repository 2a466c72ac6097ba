/** A kubeconfig: where the API server is, and how to be let in. Pure. */
import { parseDocument } from 'yaml';
import { z } from 'zod';

/** Inline, or in a file of that name. */
export type Material = { data: string } | { file: string };

/** Without token, certificate and password: whoever asks is nobody. */
export interface ClusterLogin {
  server: URL;
  /** The name that the server's certificate has to be for, where it is not the URL's. */
  serverName?: string;
  ca?: Material;
  cert?: Material;
  key?: Material;
  token?: Material;
  password?: { user: string; password: string };
}

const Name = z.string().min(1);

/** Only what the current context needs is looked into: whatever else is in the file may be for other programs. */
const Entries = z.array(z.looseObject({ name: z.unknown() })).nullish();
const Kubeconfig = z.object({
  'current-context': Name,
  contexts: Entries,
  clusters: Entries,
  users: Entries,
});
/** kubectl writes an empty `user` for nobody. */
const Context = z.object({ cluster: Name, user: z.string().nullish() });
const Cluster = z.looseObject({
  server: z.url({ protocol: /^https?$/ }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.base64().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
});
const User = z.looseObject({
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.base64().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.base64().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
});

/** What would be asked another way, or as somebody else, without them. */
const NOT_DONE: readonly string[] = ['proxy-url', 'exec', 'auth-provider', 'as'];

/**
 * Reads the current context's login. `locate` makes a path of what stands there for one, which is from the kubeconfig's own folder.
 * Throws an Error that says what is wrong and where, and never what stands there.
 */
export function parseKubeconfig(text: string, locate: (path: string) => string): ClusterLogin {
  const { 'current-context': current, contexts, clusters, users } = checked(Kubeconfig, dataOf(text), []);
  const context = entry(Context, contexts, 'context', current);
  const cluster = entry(Cluster, clusters, 'cluster', context.cluster);
  const user: z.output<typeof User> = context.user ? entry(User, users, 'user', context.user) : {};
  if (cluster['insecure-skip-tls-verify'])
    throw new Error('the kubeconfig skips the check of the server’s certificate, which Fairway does not');
  const notDone = NOT_DONE.find((key) => cluster[key] || user[key]);
  if (notDone !== undefined)
    throw new Error(
      `the kubeconfig has ${notDone}, which Fairway does not do: it asks directly, with a token, a client certificate or a password`,
    );
  if (user.username && (user.token || user.tokenFile))
    throw new Error('the kubeconfig has a token and a password for one user: leave one out');
  const material = <K extends string>(key: K, data?: string, file?: string): { [P in K]?: Material } => {
    const found = data ? { data: decoded(data) } : file ? { file: locate(file) } : undefined;
    return (found ? { [key]: found } : {}) as { [P in K]?: Material };
  };
  return {
    server: new URL(cluster.server),
    ...(cluster['tls-server-name'] ? { serverName: cluster['tls-server-name'] } : {}),
    ...material('ca', cluster['certificate-authority-data'], cluster['certificate-authority']),
    ...material('cert', user['client-certificate-data'], user['client-certificate']),
    ...material('key', user['client-key-data'], user['client-key']),
    ...(user.token ? { token: { data: user.token } } : material('token', undefined, user.tokenFile)),
    ...(user.username ? { password: { user: user.username, password: user.password ?? '' } } : {}),
  };
}

/** The parser's own messages show the lines that they are about, which hold keys and tokens: its codes say enough. */
function dataOf(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  const [error] = document.errors;
  if (error) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    throw new Error(
      `the kubeconfig is no YAML on line ${line}: ${error.code.toLowerCase().replaceAll('_', ' ')}`,
    );
  }
  try {
    // None: a file of ours has none, and a few lines of them can grow to gigabytes.
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new Error('the kubeconfig has aliases, which Fairway does not read: write out what they stand for');
  }
}

/** What stands under `key` in the entry of that name. */
function entry<T>(schema: z.ZodType<T>, entries: z.output<typeof Entries>, key: string, name: string): T {
  const found = entries?.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the kubeconfig has no ${key} ${name}`);
  return checked(schema, found[key] ?? {}, [key, name]);
}

function checked<T>(schema: z.ZodType<T>, data: unknown, path: readonly string[]): T {
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = [...path, ...(issue?.path ?? [])].join('.');
  throw new Error(`the kubeconfig is wrong at ${where || 'its top'}: ${issue?.message}`);
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
