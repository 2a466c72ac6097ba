/** Why the API server could not be asked, as data: what becomes of it is unknown, never empty. Pure. */

export type TroubleKind =
  /** No connection. */
  | 'unreachable'
  /** Its certificate is not one that the login, or the system, trusts for this name and day. */
  | 'certificate'
  /** Nothing, or not all of it, came in time. */
  | 'silent'
  /** 401: it does not know who asks. */
  | 'unknown-login'
  /** 403: it knows, and says no. */
  | 'forbidden'
  /** Another status than 200. */
  | 'status'
  /** What came is not what Kubernetes answers. */
  | 'garbage'
  | 'too-long'
  /** A file that the kubeconfig names can't be read. */
  | 'no-login';

export interface Trouble {
  kind: TroubleKind;
  /** The other side's or the system's own words; no secrets. */
  detail: string;
}

/** What was asked for, or why it is not known. */
export type Answer<T> = { said: T } | { trouble: Trouble };

export class ApiError extends Error {
  readonly trouble: Trouble;

  constructor(kind: TroubleKind, detail: string) {
    super(`the API server: ${kind}, ${detail}`);
    this.name = 'ApiError';
    this.trouble = { kind, detail };
  }
}
