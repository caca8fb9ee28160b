using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using MuseAtelier.Cli.Diagnosis;
using MuseAtelier.Server;
using MuseAtelier.Server.Security;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that say what a server serves, where it listens, and who may ask.</summary>
internal sealed class ServingChoices
{
    /// <summary>The environment variable that holds the token.</summary>
    public const string TokenVariable = "MUSE_ATELIER_TOKEN";

    private const int MostTokenBytes = 4096;

    private readonly Option<int> _port = Choice.Whole(
        "--port", "The port; 0 means any free one.", ServerOptions.DefaultPort, least: 0, most: 65535);

    private readonly Option<string?> _gallery = UserPath.Option("--gallery");
    private readonly Option<string[]> _models = Models();
    private readonly Option<string?> _upscalers = UserPath.Option("--upscalers");
    private readonly AdapterFolders _adapters;
    private readonly Option<IPAddress?> _listen = new("--listen")
    {
        Description = "The address to listen on, such as 192.168.1.20, or 0.0.0.0 for all of this machine. Every request must then present "
            + $"a token: that of --token-file or of the variable {TokenVariable}, or one that is drawn and shown with the page's address. "
            + "The connection is not encrypted. [default: this machine alone]",
        HelpName = "ADDRESS",
        CustomParser = ParseAddress,
    };

    private readonly Option<string?> _tokenFile = UserPath.Option("--token-file");

    /// <summary>Adds the options to a command.</summary>
    public ServingChoices(Command command)
    {
        _gallery.Description = "The folder of the pictures, which is made if there is none. [default: pictures in the working folder]";
        _gallery.HelpName = "FOLDER";
        _upscalers.Description =
            "A folder of upscalers' models (.safetensors, .pth), which requests name by their files' names. [default: none]";
        _upscalers.HelpName = "FOLDER";
        _tokenFile.Description =
            $"A file whose first line is the token, 16 to 512 letters without spaces. [default: the variable {TokenVariable}]";
        _tokenFile.HelpName = "FILE";
        foreach (Option option in (Option[])[_port, _gallery, _models, _upscalers]) command.Add(option);
        _adapters = new AdapterFolders(command);
        foreach (Option option in (Option[])[_listen, _tokenFile]) command.Add(option);
    }

    /// <summary>The options of the server.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="atelier">The options of its ateliers.</param>
    /// <param name="log">Receives the lines of its log.</param>
    /// <returns>The options, and whether the token was drawn.</returns>
    /// <exception cref="MuseAtelierException">A model is missing, or the token cannot be used.</exception>
    public (ServerOptions Options, bool IsTokenDrawn) Read(ParseResult result, AtelierOptions atelier, Action<string> log)
    {
        IPAddress? listen = result.GetValue(_listen);
        string? token = Token(result);
        bool isDrawn = token is null && listen is not null && !IPAddress.IsLoopback(listen);
        var options = new ServerOptions
        {
            Models = result.GetValue(_models) is { Length: > 0 } named ? named : [DefaultModel.Find()],
            Atelier = _adapters.Read(result, atelier),
            Gallery = Path.GetFullPath(result.GetValue(_gallery) ?? "pictures"),
            Upscalers = result.GetValue(_upscalers) is { } upscalers ? Path.GetFullPath(upscalers) : null,
            Port = result.GetValue(_port),
            Listen = listen,
            Token = isDrawn ? AccessToken.Draw() : token,
            Log = log,
            Device = () => DeviceDiagnosis.Run(atelier.Backend),
        };
        foreach (string model in options.Models)
            if (!Path.Exists(model)) throw new CheckpointNotFoundException(model);
        return (options, isDrawn);
    }

    private static Option<string[]> Models() => UserPath.Several(
        "--model",
        "A checkpoint (.safetensors), the folder of an exported package, or a folder of these; may be repeated. One model is "
            + "open at a time, unless the budget holds all. "
            + $"[default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]",
        "PATH",
        "-m");

    // .NET reads 1 as 0.0.0.1, which nobody means.
    private static IPAddress? ParseAddress(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (text == "localhost") return IPAddress.Loopback;
        if (text.AsSpan().ContainsAny('.', ':') && IPAddress.TryParse(text, out IPAddress? address)) return address;
        result.AddError($"--listen is '{text}'; expected an address of this machine, such as 192.168.1.20 or ::, or 0.0.0.0 for all");
        return null;
    }

    private string? Token(ParseResult result)
    {
        string source = result.GetValue(_tokenFile) is { } file ? $"the first line of {file}" : $"the variable {TokenVariable}";
        string? token = result.GetValue(_tokenFile) is { } path ? ReadToken(path) : Environment.GetEnvironmentVariable(TokenVariable);
        if (result.GetValue(_tokenFile) is null && string.IsNullOrEmpty(token)) return null;
        return ServerOptions.IsToken(token!) ? token : throw new TokenException(source);
    }

    private static string ReadToken(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            byte[] start = new byte[MostTokenBytes];
            int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            using var text = new StreamReader(new MemoryStream(start, 0, read));
            return text.ReadLine()?.Trim() ?? "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TokenFileException(path, exception);
        }
    }
}

/// <summary>The file of the token cannot be read.</summary>
internal sealed class TokenFileException(string path, Exception cause)
    : MuseAtelierException(
        $"the token cannot be read from {path} ({cause.Message.TrimEnd('.')})",
        "a file whose first line is the token",
        "Check the path and the permissions of --token-file; relative paths start at the working folder.",
        cause);

/// <summary>The token that the user gave cannot be sent in a header, or is too easy to guess.</summary>
internal sealed class TokenException(string source)
    : MuseAtelierException(
        $"{source} is no token",
        "16 to 512 letters, digits and marks of ASCII, without spaces",
        "Draw one, such as with: openssl rand -hex 32");
