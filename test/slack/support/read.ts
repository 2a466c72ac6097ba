/** What a person reads of a message. */
import type { Block } from '../../../src/slack/blocks.js';

export function readable(blocks: readonly Block[]): string {
  return blocks.map(readBlock).join('\n---\n');
}

function readBlock(block: Block): string {
  switch (block.type) {
    case 'header':
      return `# ${block.text.text}`;
    case 'section':
      return block.text.text;
    case 'context':
      return block.elements.map((element) => `(${element.text})`).join(' ');
    case 'actions':
      return block.elements
        .map((button) => `[${button.text.text}] ${button.action_id} ${button.value}`)
        .join('\n');
  }
}

/** The action ids of a message's buttons. */
export function buttonsOf(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.map((button) => button.action_id) : [],
  );
}
