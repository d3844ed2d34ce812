export { McpHttpServer } from './http';
export { createMcpServer } from './server';
export { SANDBOX_TOOLS } from './tools';
export type { SandboxTool, ToolCall, ToolResult } from './tools';
export { Workplace } from './workplace';
