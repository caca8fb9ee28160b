using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace MuseAtelier.Tests.ExtensionsAi;

/// <summary>Stands for a language model: it calls the tool that paints once, and then answers.</summary>
/// <param name="prompt">The prompt with which it calls the tool.</param>
internal sealed class ScriptedChatClient(string prompt) : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        bool hasPainted = messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Any();
        AITool tool = options!.Tools!.First(tool => tool.Name.Contains("GenerateImage", StringComparison.Ordinal));
        AIContent content = hasPainted
            ? new TextContent("It is painted.")
            : new FunctionCallContent("call-1", tool.Name, new Dictionary<string, object?> { ["prompt"] = prompt });
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [content])));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatResponse response = await GetResponseAsync(messages, options, cancellationToken);
        foreach (ChatResponseUpdate update in response.ToChatResponseUpdates()) yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }
}
