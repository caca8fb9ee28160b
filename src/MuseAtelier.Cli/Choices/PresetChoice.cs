using System.CommandLine;
using System.CommandLine.Parsing;

namespace MuseAtelier.Cli.Choices;

/// <summary>The option that names a preset for a distilled model.</summary>
internal sealed class PresetChoice
{
    /// <summary>The option; its value is null if it is not given.</summary>
    public Option<FewStepPreset?> Option { get; } = new("--preset")
    {
        Description = "The settings of a distilled model (sampler, timesteps, steps, guidance): "
            + string.Join(", ", FewStepPreset.All.Select(preset => preset.Name)) + ". Options that are given beside it win.",
        HelpName = "NAME",
        CustomParser = Parse,
    };

    private static FewStepPreset? Parse(ArgumentResult result)
    {
        string name = result.Tokens[0].Value;
        FewStepPreset? preset = FewStepPreset.Find(name);
        if (preset is null)
        {
            string[] names = [.. FewStepPreset.All.Select(known => known.Name)];
            result.AddError(Choice.Refusal("--preset", name, Choice.Names(name, names)));
        }

        return preset;
    }
}
