/** The kubectl lines that people run themselves: Fairway has no access to the API server. Pure. */

/** Something to copy and run. */
export interface Snippet {
  title: string;
  code: string;
  language: 'shell' | 'yaml';
}
