using System.Text.Json;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Holds the options for all clients. Members may be called from any thread.</summary>
/// <param name="shelf">Has the model, which is an option of AUTOMATIC1111's as well.</param>
/// <param name="vae">Path of the VAE's file that replaces the models' own; null for none.</param>
internal sealed class OptionStore(IModelShelf shelf, string? vae = null)
{
    private readonly Lock _lock = new();
    private readonly FixedOption _vae = FixedOption.Vae(vae);

    /// <summary>The options at this moment.</summary>
    public RememberedOptions Current
    {
        get
        {
            lock (_lock) return field;
        }

        private set;
    } = new();

    /// <summary>Sets options, and chooses the model if they name one. Nothing is set if one of them is refused.</summary>
    /// <param name="fields">The options by their names in AUTOMATIC1111.</param>
    /// <exception cref="ServerRequestException">An option has no such value, or the server cannot do what it asks.</exception>
    public void Set(ClientFields fields)
    {
        ShelfModel? model = ModelNames.Named(fields, shelf);
        lock (_lock) Current = With(fields);
        if (model is not null && model.Id != shelf.Current?.Id) shelf.Choose(model.Id);
    }

    /// <summary>The options at this moment with those that a client sets for one call.</summary>
    /// <param name="fields">The options by their names in AUTOMATIC1111.</param>
    /// <exception cref="ServerRequestException">An option has no such value, or the server cannot do what it asks.</exception>
    public RememberedOptions With(ClientFields fields)
    {
        _vae.Check(fields);
        return OptionReader.Read(Current, fields);
    }

    /// <summary>Writes all options as AUTOMATIC1111 answers them.</summary>
    public void Write(Utf8JsonWriter json)
    {
        RememberedOptions options = Current;
        ShelfModel? model = shelf.Current;
        json.WriteStartObject();
        json.WriteString("sd_model_checkpoint", model is null ? null : ModelNames.TitleOf(model));
        json.WriteString("sd_checkpoint_hash", model?.Sha256);
        json.WriteNumber("CLIP_stop_at_last_layers", options.ClipSkip);
        json.WriteString("randn_source", options.NoiseSource);
        json.WriteString("emphasis", options.Emphasis);
        json.WriteNumber("comma_padding_backtrack", options.CommaBacktrack);
        json.WriteNumber("eta_ancestral", options.EtaAncestral);
        json.WriteNumber("eta_ddim", options.EtaDdim);
        json.WriteString("sd_noise_schedule", options.NoiseSchedule);
        json.WriteNumber("skip_early_cond", options.SkippedGuidance);
        json.WriteString("samples_format", OptionReader.WordOf(options.Format));
        json.WriteNumber("jpeg_quality", options.Quality);
        foreach (FixedOption option in FixedOption.All.Prepend(_vae))
        {
            json.WritePropertyName(option.Name);
            json.WriteRawValue(option.Value);
        }

        json.WriteEndObject();
    }
}
