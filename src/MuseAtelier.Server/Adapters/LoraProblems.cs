namespace MuseAtelier.Server.Adapters;

/// <summary>The refusals of LoRAs.</summary>
internal static class LoraProblems
{
    private const string Kind = "no-such-lora";

    /// <summary>A LoRA of a record or of a job that the folders do not have.</summary>
    public static ServerRequestException Missing(string name) => Problems.Make(
        404,
        Kind,
        $"The LoRA '{name}' is not in the server's folders; expected the file that the request names. Put it into a folder of LoRAs.",
        inner: null,
        LoraFieldNames.List);

    /// <summary>A LoRA whose file is another one than before.</summary>
    public static ServerRequestException Changed(string name) => Problems.Make(
        404,
        Kind,
        $"The LoRA '{name}' is another file than the one that the request names by its digest. Put that file back, or ask for it anew.",
        inner: null,
        LoraFieldNames.List);

    /// <summary>Does something with the folders, whose refusals are those of a field.</summary>
    /// <param name="field">The field.</param>
    /// <param name="run">What is done.</param>
    /// <exception cref="ServerRequestException">It was refused.</exception>
    public static T Guard<T>(string field, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (LoraNotFoundException exception)
        {
            throw Problems.Make(404, Kind, exception.Message, exception, field);
        }
        catch (PictureRequestException exception)
        {
            throw Problems.Make(400, "bad-value", exception.Message, exception, field);
        }
        catch (LoraFolderException exception)
        {
            const string message = "A folder of LoRAs cannot be read; expected one that exists. Put it back, or start the server without it.";
            throw Problems.Make(500, "failed", message, exception, field);
        }
    }
}
