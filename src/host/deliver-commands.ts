/** What a person would type to bring a binary to a node, and to switch to it. Pure. */
import type { Node } from '../node/node.js';
import type { Built } from '../plan/build.js';
import type { Step } from '../plan/plan.js';

export function deliverCommands(built: Built, node: Node, steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'binary')
      return [
        `# from ${built.host}: ${built.path}`,
        `scp ${built.component}.exe ${node.name}:${step.path.replaceAll('\\', '/')}`,
        `Get-FileHash ${step.path}  # ${step.sha256}`,
      ];
    if (step.kind !== 'component') return [];
    return [
      '# after one more click:',
      `nssm set ${step.component} Application ${step.executable}  # or the scheduled task's wrapper`,
      `Restart-Service ${step.component}`,
    ];
  });
}
