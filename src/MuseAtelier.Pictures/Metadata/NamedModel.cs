namespace MuseAtelier.Pictures.Metadata;

/// <summary>The model of a picture as texts name it.</summary>
/// <param name="Name">The checkpoint's file name without extension.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="Vae">The VAE in a file of its own; null if the VAE was the checkpoint's.</param>
internal sealed record NamedModel(string Name, string Sha256, UsedVae? Vae)
{
    /// <summary>The model of a painted picture.</summary>
    public static NamedModel Of(ModelInfo model) => new(model.Name, model.Sha256, model.Vae);

    /// <summary>The model of a record.</summary>
    public static NamedModel Of(RecordedModel model) => new(model.Name, model.Sha256, model.Vae);
}
