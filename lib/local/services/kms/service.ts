import { randomBytes } from 'node:crypto';
import * as sdk from '@aws-sdk/client-kms';
import type {
  DecryptRequest,
  DecryptResponse,
  DescribeKeyRequest,
  DescribeKeyResponse,
  GenerateDataKeyRequest,
  GenerateDataKeyResponse,
} from '@aws-sdk/client-kms';
import { AwsError } from '../../wire/aws-error';
import { awsJson11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import { deployment } from '../cloudformation/deployment';
import { missingMembersText } from '../missing-members';
import type { Call, Service } from '../service';
import { encryptionContextKeys, kmsKeys } from './keys';
import type { EncryptionContext, KmsKey } from './keys';

/** KMS API, GenerateDataKey.NumberOfBytes. */
const MAX_BYTES = 1024;
const SPECS: Readonly<Record<string, number>> = { AES_128: 16, AES_256: 32 };

const validation = (message: string): AwsError => new AwsError('ValidationException', message);

interface KeyUse {
  readonly action: string;
  /** The key as the call names it. */
  readonly reference: string;
  readonly context: EncryptionContext;
}

/** The key that a call names. Authorizes before it reveals whether the key exists. */
function keyFor(world: World, call: Call, { reference, action, context }: KeyUse): KmsKey {
  const { region, accountId } = world.place;
  const key = world.part(kmsKeys).find(reference);
  const named = reference.startsWith('arn:') ? reference : `arn:aws:kms:${region}:${accountId}:key/${reference}`;
  call.authorize({
    action,
    resource: key?.arn ?? named,
    namedResource: named,
    context: encryptionContextKeys(context),
  });
  if (key === undefined) throw new AwsError('NotFoundException', `Key '${named}' does not exist`);
  return key;
}

const generateDataKey =
  (world: World) =>
  (request: GenerateDataKeyRequest, call: Call): GenerateDataKeyResponse => {
    const { KeyId = '', NumberOfBytes: bytes, KeySpec: spec, EncryptionContext: context = {} } = request;
    const key = keyFor(world, call, { action: 'kms:GenerateDataKey', reference: KeyId, context });
    if ((bytes === undefined) === (spec === undefined)) {
      throw validation('Please specify either number of bytes or key spec.');
    }
    const length = bytes ?? SPECS[spec ?? ''];
    if (length === undefined || !Number.isInteger(length) || length < 1 || length > MAX_BYTES) {
      throw validation(`A data key has 1 to ${MAX_BYTES} bytes, or the key spec ${Object.keys(SPECS).join(' or ')}.`);
    }
    const plaintext = randomBytes(length);
    return {
      KeyId: key.arn,
      Plaintext: plaintext,
      CiphertextBlob: world.part(kmsKeys).encrypt(key, plaintext, context),
    };
  };

const decrypt =
  (world: World) =>
  (request: DecryptRequest, call: Call): DecryptResponse => {
    const keys = world.part(kmsKeys);
    const ciphertext = Buffer.from(request.CiphertextBlob ?? []);
    const context = request.EncryptionContext ?? {};
    const made = keys.keyOf(ciphertext);
    const key = keyFor(world, call, { action: 'kms:Decrypt', reference: request.KeyId ?? made?.arn ?? '*', context });
    if (made !== undefined && made.arn !== key.arn) {
      throw new AwsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    const plaintext = keys.decrypt(key, ciphertext, context);
    if (plaintext === undefined) throw new AwsError('InvalidCiphertextException', '');
    return { KeyId: key.arn, Plaintext: plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  };

const describeKey =
  (world: World) =>
  ({ KeyId = '' }: DescribeKeyRequest, call: Call): DescribeKeyResponse => {
    const { id, arn, description } = keyFor(world, call, { action: 'kms:DescribeKey', reference: KeyId, context: {} });
    return {
      KeyMetadata: {
        AWSAccountId: world.place.accountId,
        KeyId: id,
        Arn: arn,
        Description: description,
        CreationDate: world.part(deployment).createdAt,
        Enabled: true,
        KeyState: 'Enabled',
        KeyUsage: 'ENCRYPT_DECRYPT',
        KeyManager: 'CUSTOMER',
        KeySpec: 'SYMMETRIC_DEFAULT',
        CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        Origin: 'AWS_KMS',
        MultiRegion: false,
      },
    };
  };

/** AWS Key Management Service, as far as encrypted sessions need it. Key policies are ignored. */
export const kmsService = (world: World): Service => ({
  signingName: 'kms',
  protocol: awsJson11({ targetPrefix: 'TrentService' }),
  operations: operationsOf(sdk),
  errors: {
    missingMembers: (paths) => validation(missingMembersText(paths)),
    accessDenied: (message) => new AwsError('AccessDeniedException', message),
    throttled: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  },
  handlers: {
    GenerateDataKey: generateDataKey(world),
    Decrypt: decrypt(world),
    DescribeKey: describeKey(world),
  },
});
