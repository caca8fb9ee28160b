using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace MuseAtelier.Samples.ImageGenerator;

/// <summary>
/// Stands for a language model, so that the sample runs without one: it asks the painting tool for a picture, and answers when it is
/// painted.
/// </summary>
internal sealed class ScriptedChatClient : IChatClient
{
    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        bool isPainted = messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().Any();
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [isPainted ? Answer() : Call(options)])));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatResponse response = await GetResponseAsync(messages, options, cancellationToken);
        foreach (ChatResponseUpdate update in response.ToChatResponseUpdates()) yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static TextContent Answer() => new("Here is your lighthouse.");

    // A real model chooses the tool by its description, and writes the prompt itself.
    private static FunctionCallContent Call(ChatOptions? options)
    {
        AITool tool = options?.Tools?.FirstOrDefault(tool => tool.Name.Contains("GenerateImage", StringComparison.Ordinal))
            ?? throw new InvalidOperationException("The client was given no tool that paints.");
        return new FunctionCallContent("call-1", tool.Name, new Dictionary<string, object?> { ["prompt"] = "a lighthouse in a storm" });
    }
}
