import { join } from 'node:path';
import { cfnLint } from '../support/cdk/cfn-lint';
import { python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';
import { ENV, STACK_VARIANTS } from '../support/cdk/stack-variants';
import { appFor } from '../support/cdk/synthesized-app';

describeWith(python, 'cfn-lint', () => {
  it('finds nothing in any variant of the template', async () => {
    const templates = Object.values(STACK_VARIANTS).map((context) => {
      const { app, stack } = appFor(context);
      return join(app.synth().directory, stack.templateFile);
    });

    expect(templates.length).toBeGreaterThan(5);
    expect(await cfnLint(ENV.region, templates)).toEqual([]);
  }, 600_000);
});
