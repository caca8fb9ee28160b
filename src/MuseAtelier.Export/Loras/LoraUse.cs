namespace MuseAtelier.Export.Loras;

/// <summary>A LoRA and its strengths.</summary>
/// <param name="File">The file; borrowed.</param>
/// <param name="Strength">The factor of the changes to the UNet.</param>
/// <param name="TextStrength">The factor of the changes to the text encoders.</param>
internal sealed record LoraUse(LoraFile File, float Strength, float TextStrength);
