// What the server says beside a refused submit. Pure.
import type { MqError } from '../../protocol/errors.ts';
import type { MemberView } from '../../protocol/schema.ts';
import { noKey } from './lock-lines.ts';

export interface RefusalDetails {
  readonly kind: 'board' | 'pool';
  /** The boards that were looked at, and who had them. */
  readonly members: readonly MemberView[];
  readonly key: string;
}

/** A refusal says so in its details; what is missing there is taken for one board without a word about it. */
export function refusalDetails({ details }: MqError): RefusalDetails {
  return {
    kind: details.kind === 'pool' ? 'pool' : 'board',
    members: Array.isArray(details.members) ? details.members : [],
    key: typeof details.key === 'string' ? details.key : noKey,
  };
}
