using System.CommandLine;
using MuseAtelier.Cpu;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command that runs a model is told which one and how.</summary>
internal sealed class AtelierChoices
{
    private readonly Option<string?> _cache = new("--cache") { Description = "Where checkpoints are exported to, once each. [default: the variable MUSE_CACHE, else MuseAtelier/packages in the user's local application data]", HelpName = "FOLDER" };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads of the arithmetic. [default: one for each core]", HelpName = "N" };
    private readonly Option<VaeTiling> _vae = new("--vae") { Description = "How the VAE decodes: auto, whole or tiled (in overlapping tiles: less memory). [default: auto]", HelpName = "auto|whole|tiled" };

    public AtelierChoices(Command command)
    {
        _threads.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && result.GetValueOrDefault<int>() < 1) result.AddError("--threads must be 1 or more.");
        });
        command.Add(_cache);
        command.Add(_threads);
        command.Add(_vae);
    }

    /// <summary>An option that names the model.</summary>
    public static Option<string?> Model() =>
        new("--model", "-m") { Description = $"The model: a checkpoint (.safetensors) or the folder of an exported package. [default: the variable {DefaultModel.Variable}, else the Miniature, which comes with muse]", HelpName = "PATH" };

    /// <summary>How the atelier is to be set up.</summary>
    public AtelierOptions Read(ParseResult result) => new()
    {
        Backend = CpuBackend.Create(result.GetValue(_threads)),
        CacheFolder = result.GetValue(_cache) ?? (Environment.GetEnvironmentVariable("MUSE_CACHE") is { Length: > 0 } folder ? folder : null),
        VaeTiling = result.GetValue(_vae),
    };
}
