/** Loaded before the app: the index of the provider, which is what most write who use cdktf. */
import '@cdktf/provider-aws';
