import { expect, test } from '@jest/globals';
import type { Control } from '../../src/job/job.js';
import { sayControlled } from '../../src/words/process.js';

const order = (action: Control['action']): Control => ({
  name: 'control',
  host: 'win01',
  component: 'kubelet',
  action,
  by: 'T1:U0BOB',
});

test.each<[Control['action'], string[], ('kube-proxy' | 'kubelet')[], string]>([
  [
    'stop',
    [],
    [],
    'kubelet on `win01` is stopped. It stays so, without a word from me, until `start kubelet on win01`.',
  ],
  [
    'stop',
    ['kube-proxy'],
    [],
    'kubelet on `win01` is stopped, and kube-proxy, which depends on it, too. They stay so, without a word from me, until `start kubelet on win01`.',
  ],
  [
    'start',
    ['exporter', 'kube-proxy'],
    [],
    'kubelet on `win01` runs, and exporter, kube-proxy, which depend on it, too.',
  ],
  [
    'restart',
    [],
    ['kube-proxy'],
    'kubelet on `win01` runs again. kube-proxy stays stopped until `start kube-proxy on win01`.',
  ],
])('%s, along %j, staying down %j', (action, along, stayDown, words) => {
  expect(sayControlled(order(action), { along, stayDown })).toBe(words);
});
