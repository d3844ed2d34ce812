import type { World } from '../world';
import { decide, refusal } from './access';
import { evaluate } from './policy';
import { Credentials } from './credentials';
import type { AccessRequest } from './policy';
import type { Principal } from './principal';
import { rolesOf } from './roles';
import type { Role } from './roles';

const stackRoles = ({ stack }: World): ReadonlyMap<string, Role> => rolesOf(stack);

/** The owners of access keys, the roles, and who may do what. */
export class Iam {
  readonly credentials: Credentials;

  constructor(private readonly world: World) {
    this.credentials = new Credentials(world.store, world.clock, world.place.accountId);
  }

  /** Roles by their ARNs. */
  get roles(): ReadonlyMap<string, Role> {
    return this.world.part(stackRoles);
  }

  /** Why the principal may not do this, in AWS's words; undefined when it may. */
  refusalOf(principal: Principal, request: AccessRequest): string | undefined {
    const decision = decide(principal, request, this.roles);
    return decision === 'allow' ? undefined : refusal(principal, request, decision);
  }

  /** True when the role's policies allow the request to what runs with the role. */
  roleAllows(roleArn: string, { context, ...request }: AccessRequest): boolean {
    const { accountId } = this.world.place;
    const complete = { 'aws:PrincipalArn': roleArn, 'aws:PrincipalAccount': accountId, ...context };
    return evaluate(this.roles.get(roleArn)?.policies ?? [], { ...request, context: complete }) === 'allow';
  }
}
