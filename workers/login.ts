/** The login at the API server, which lives with the workers. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Config, ConfigError } from '../src/config.js';
import { type ClusterLogin, parseKubeconfig } from '../src/kube/kubeconfig.js';

/** The login that the configuration names; null when it names none. Throws a ConfigError when it can't be used. */
export function loginOf({ watch: { kubeconfigFile } }: Pick<Config, 'watch'>): ClusterLogin | null {
  if (kubeconfigFile === undefined) return null;
  try {
    const folder = dirname(kubeconfigFile);
    return parseKubeconfig(readFileSync(kubeconfigFile, 'utf8'), (path) => resolve(folder, path));
  } catch (error) {
    throw new ConfigError([
      `KUBECONFIG_FILE ${kubeconfigFile}: ${error instanceof Error ? error.message : error}`,
    ]);
  }
}
