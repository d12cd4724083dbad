import { AshlarError } from '../../../shared/errors.ts';

/** The codes under which admission refuses an update. */
export type RefusalCode = 'invalid-update' | 'foreign-client-id' | 'too-large';

/** A broken rule of admission: thrown anywhere in the scan, caught by `admitUpdate`, never by anyone else. */
export class Refusal extends AshlarError {
  /** The number of the rule in docs/architecture.md, "Admission". */
  readonly rule: number;
  override readonly code: RefusalCode;
  override readonly detail: string;

  constructor(rule: number, detail: string, code: RefusalCode = 'invalid-update') {
    super(code, { detail });
    this.rule = rule;
    this.code = code;
    this.detail = detail;
  }
}
