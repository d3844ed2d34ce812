import type { LanguageModel } from 'ai';
import { MngrFargateError } from '../../contract/errors';

type Environment = Readonly<Record<string, string | undefined>>;

interface Provider {
  readonly keyVariable: string;
  /** As the provider's other tools know it: without the version at its end. */
  readonly urlVariable: string;
  readonly defaultModel: string;
  readonly load: (
    settings: { readonly apiKey: string; readonly baseURL?: string },
    model: string,
  ) => Promise<LanguageModel>;
}

const PROVIDERS: Readonly<Record<string, Provider>> = {
  anthropic: {
    keyVariable: 'ANTHROPIC_API_KEY',
    urlVariable: 'ANTHROPIC_BASE_URL',
    defaultModel: 'claude-sonnet-4-5',
    load: async (settings, model) => (await import('@ai-sdk/anthropic')).createAnthropic(settings)(model),
  },
  openai: {
    keyVariable: 'OPENAI_API_KEY',
    urlVariable: 'OPENAI_BASE_URL',
    defaultModel: 'gpt-5',
    load: async (settings, model) => (await import('@ai-sdk/openai')).createOpenAI(settings)(model),
  },
};

export const CHAT_PROVIDERS = Object.keys(PROVIDERS);

export interface ChosenModel {
  readonly provider: string;
  readonly name: string;
  readonly model: LanguageModel;
}

/**
 * The model of the provider that was asked for, or of the first whose key is in the environment. Throws `usage` where there is
 * no key, and says which to set.
 */
export async function chooseModel(
  environment: Environment,
  wanted: { readonly provider?: string; readonly model?: string } = {},
): Promise<ChosenModel> {
  const names = wanted.provider === undefined ? CHAT_PROVIDERS : [wanted.provider];
  for (const name of names) {
    const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
    if (provider === undefined) {
      throw new MngrFargateError(
        'usage',
        `--provider takes ${CHAT_PROVIDERS.join(' or ')}, not ${JSON.stringify(name)}`,
      );
    }
    const apiKey = environment[provider.keyVariable];
    if (!apiKey) continue;
    const model = wanted.model ?? provider.defaultModel;
    const baseURL = versioned(environment[provider.urlVariable]);
    return { provider: name, name: model, model: await provider.load({ apiKey, baseURL }, model) };
  }
  const variables = names.map((name) => PROVIDERS[name]?.keyVariable).join(' or ');
  throw new MngrFargateError('usage', 'no key of a model provider is in the environment', { hint: `set ${variables}` });
}

/** The AI SDK wants the version in the URL, which other tools of the providers add themselves. */
function versioned(url: string | undefined): string | undefined {
  if (!url) return undefined;
  const base = url.replace(/\/+$/, '');
  return /\/v\d+$/.test(base) ? base : `${base}/v1`;
}
