using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Planning;

/// <summary>The tokens of both prompts.</summary>
/// <param name="Prompt">The prompt's.</param>
/// <param name="NegativePrompt">The negative prompt's.</param>
internal sealed record TokenCounts(TokenCount Prompt, TokenCount NegativePrompt);

/// <summary>The tokens of a prompt. Where it has several parts, or changes between steps, those of its longest text.</summary>
internal sealed record TokenCount
{
    /// <summary>The tokens, those that are cut off among them.</summary>
    public required int Tokens { get; init; }

    /// <summary>The tokens for which the last chunk has room.</summary>
    public required int Room { get; init; }

    /// <summary>The chunks that the text takes.</summary>
    public required int Chunks { get; init; }

    /// <summary>The index of the first character that is cut off; null if none is.</summary>
    public int? CutAt { get; init; }

    /// <summary>Sentences about text that is not painted as written.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The codes of the notices.</summary>
    public IReadOnlyList<NoticeCode> NoticeCodes => NoticeCode.Of(Notices);
}
