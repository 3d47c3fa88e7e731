import axe from 'axe-core';
import type { Frame, Page } from 'playwright-core';

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly target: readonly unknown[] }[];
  }[];
}

/** Findings of axe-core in a document that are serious or critical, one line each; frames within it are not looked into. It
 *  is evaluated from outside, because a Content-Security-Policy lets no script of ours in. */
export async function axeFindings(document: Page | Frame): Promise<string[]> {
  await document.evaluate(axe.source);
  const { violations } = await document.evaluate<AxeResults>('axe.run(document, { iframes: false })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(' ')).join(', ')})`);
}
