namespace MuseAtelier.Adapters;

/// <summary>A LoRA that a prompt names, such as <c>&lt;lora:ink:0.8&gt;</c>.</summary>
/// <param name="Name">The name between the first colons.</param>
/// <param name="Strength">The factor of the changes to the UNet.</param>
/// <param name="TextStrength">The factor of the changes to the text encoders.</param>
/// <param name="Start">Index of the opening bracket in the prompt.</param>
/// <param name="End">Index behind the closing bracket.</param>
internal sealed record LoraTag(string Name, float Strength, float TextStrength, int Start, int End)
{
    /// <summary>Arguments that are not read, such as <c>dyn=8</c>, as they are written.</summary>
    public IReadOnlyList<string> Unread { get; init; } = [];

    /// <summary>The tag in AUTOMATIC1111's form: the text encoders' strength first, then the UNet's if it is another one.</summary>
    /// <param name="name">The name of the LoRA; must satisfy <see cref="CanName"/>.</param>
    /// <param name="strength">The factor of the changes to the UNet.</param>
    /// <param name="textStrength">The factor of the changes to the text encoders.</param>
    public static string Write(string name, float strength, float textStrength) => strength == textStrength
        ? FormattableString.Invariant($"<lora:{name}:{strength}>")
        : FormattableString.Invariant($"<lora:{name}:{textStrength}:{strength}>");

    /// <summary>Whether a tag can hold a name: some characters end it, or make an argument of it.</summary>
    public static bool CanName(string name) => name.Length > 0 && !name.AsSpan().ContainsAny(":>=\n");
}
