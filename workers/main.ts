/** The worker's entry: plans, applies and proves changes, and posts to Slack. Start as many as you like, on as many machines. */
import { ConfigError, parseConfig } from '../src/config.js';
import { serveHealth } from '../src/health.js';
import { createLog } from '../src/log.js';
import { untilSignal } from '../src/signals.js';
import { startWorkers } from './start.js';

try {
  const config = parseConfig(process.env, 'worker');
  const log = createLog(config.logLevel);
  const workers = await startWorkers(config, log);
  const ready = async () => (await workers.deps.redis.ping()) === 'PONG';
  const health = config.workerPort === undefined ? null : await serveHealth(config.workerPort, ready);
  log.info({ cluster: config.cluster.name }, 'worker started');
  await untilSignal();
  log.info('worker drains');
  await workers.close();
  await health?.close();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
