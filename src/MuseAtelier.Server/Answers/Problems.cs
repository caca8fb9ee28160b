using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server;

/// <summary>The answer to each exception: its status, and the problem that the client is told.</summary>
internal static class Problems
{
    // Windows: ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL. Linux: ENOSPC and EDQUOT.
    private static readonly int[] DiskFull = [unchecked((int)0x80070070), unchecked((int)0x80070027), 28, 122];

    /// <summary>
    /// The answer to an exception. Only messages of this project are shown: others may name what a client must not know.
    /// </summary>
    public static ServerRequestException Of(Exception exception) => exception switch
    {
        ServerRequestException known => known,
        PictureRequestException refused => Make(400, "bad-value", refused, FieldOf(refused)),
        BudgetTooSmallException small => Make(422, "budget-too-small", small),
        QueueFullException full => Make(429, "queue-full", full),
        PictureNotWrittenException { NoSpace: true } full => NoSpace(full),
        IOException full when DiskFull.Contains(full.HResult) => NoSpace(full),
        PictureRecordMissingException or PictureRecordDamagedException or PictureRecordVersionException =>
            Make(400, "no-record", exception),
        NotAPictureException or PictureDamagedException or PictureTooLargeException or PictureUnsupportedException =>
            Make(400, "not-a-picture", exception),
        BadHttpRequestException { StatusCode: 413 } => Make(
            413, "body-too-large", "The body is larger than this route takes. Send a smaller one.", exception),
        // Kestrel says so of a chunk of the body whose length is beyond 32 bits.
        IOException { InnerException: OverflowException } => Make(
            400, "bad-json", "The body has a chunk of an impossible length; expected at most 2 GiB. Send smaller ones.", exception),
        BadHttpRequestException or JsonException => Make(
            400, "bad-json", "The body cannot be read as JSON. Check it, and send it again.", exception),
        ObjectDisposedException or OperationCanceledException => Make(
            409, "stopping", "The server is stopping, or the model was closed. Try again when it runs.", exception),
        MuseAtelierException => Make(500, "failed", exception),
        OutOfMemoryException => Make(
            500, "failed", "The system gave no more memory. Close other programs, or ask for a smaller picture.", exception),
        _ => Make(500, "failed", "Something failed that the server did not expect. Its log says what; try again.", exception),
    };

    /// <summary>A refusal of one field of a request.</summary>
    /// <param name="field">The field.</param>
    /// <param name="found">What was found: "steps is 0".</param>
    /// <param name="expected">What is expected: "a whole number from 1 to 1000".</param>
    /// <param name="remedy">What to do.</param>
    public static ServerRequestException BadValue(string field, string found, string expected, string remedy = "Choose one of these.") =>
        Make(400, "bad-value", $"{found}; expected {expected}. {remedy}", inner: null, field);

    /// <summary>The answer to a picture that a client sent and that cannot be read; it never names a path.</summary>
    public static ServerRequestException Refused(PictureFileException exception) => exception switch
    {
        PictureRecordMissingException or PictureRecordDamagedException or PictureRecordVersionException
            or ParametersTextException or PictureTextUnpaintableException or PictureTextTooLongException =>
            Make(400, "no-record", exception),
        _ => Make(400, "not-a-picture", exception),
    };

    /// <summary>An answer of its own status, kind and message.</summary>
    public static ServerRequestException Make(int status, string kind, string message, Exception? inner = null, string? field = null) =>
        new(status, new Problem { Kind = kind, Message = message, Field = field }, inner);

    private static ServerRequestException Make(int status, string kind, Exception exception, string? field = null) =>
        Make(status, kind, exception.Message, exception, field);

    private static ServerRequestException NoSpace(Exception exception) => Make(
        507, "disk-full", "No space is left on the disk of the gallery. Free some space, and try again.", exception);

    private static string? FieldOf(PictureRequestException exception) => exception switch
    {
        PictureSizeException size => size.Width is >= RequestRules.SmallestSide and <= RequestRules.LargestSide
            && size.Width % RequestRules.SizeMultiple == 0 ? "height" : "width",
        StepCountException or TimestepCountException => "steps",
        GuidanceScaleException => "guidance",
        KarrasTimestepsException => "schedule",
        ClipSkipException => "clipSkip",
        FrameException => "frame",
        HiresException => "hires",
        MaskEmptyException => "source.mask",
        SourceSizeException or SourceMissingException => "source",
        RequestNumberException { Name: nameof(PictureSource.Strength) } => "source.strength",
        PromptException prompt => prompt.Found.StartsWith("the negative", StringComparison.Ordinal) ? "negativePrompt" : "prompt",
        RequestNumberException number => JsonNamingPolicy.CamelCase.ConvertName(number.Name),
        RequestChoiceException choice => choice.Name switch
        {
            nameof(PictureRequest.NoiseSource) => "noise",
            nameof(PictureRequest.PromptSyntax) => "syntax",
            nameof(NoiseSchedule.Spacing) => "schedule",
            _ => JsonNamingPolicy.CamelCase.ConvertName(choice.Name),
        },
        _ => null,
    };
}
