import { App, CfnWaitConditionHandle, Stack } from 'aws-cdk-lib';

const app = new App();
// CDK refuses a template without a resource; this one stands for none.
new CfnWaitConditionHandle(new Stack(app, 'Empty'), 'Nothing');
app.synth();
