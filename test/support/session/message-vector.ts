/** A size message as AWS's clients send it, checked against two implementations of others. */
export const VECTOR_FRAME = Buffer.from(
  `00000074 696e7075 745f7374 7265616d 5f646174 61202020 20202020 20202020
   20202020 00000001 0000018b cfe5687b 00000000 00000000 00000000 00000000
   80b400c0 4fd430c8 6ba7b810 9dad41d1 d53ca1ea 7dce87c1 1432052a 8550ed26
   15cf715c a843c897 10ed8332 5b691cba 00000003 00000015 7b22636f 6c73223a
   38302c22 726f7773 223a3234 7d`.replaceAll(/\s/g, ''),
  'hex',
);

/** What the frame says. */
export const VECTOR_MESSAGE = {
  type: 'input_stream_data',
  createdAt: 1_700_000_000_123,
  sequence: 0,
  flags: 0,
  id: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  payloadType: 3,
  payload: Buffer.from('{"cols":80,"rows":24}'),
};
