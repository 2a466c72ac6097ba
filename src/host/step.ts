/** Steps against what a host holds. They live beside the plan, which may not import `host`. */
export { conflicts, stepHolds } from '../plan/step.js';
